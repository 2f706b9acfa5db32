import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'
import * as varint from 'uint8-varint'
import { Frames } from '../../../src/framing/index.js'
import { connectedStreams, soon } from '../share/fixture.js'

async function pair(): Promise<{ frames: Frames; peer: Stream; own: Stream }> {
  const [own, peer] = await connectedStreams()
  return { frames: new Frames(own), peer, own }
}

function frame(message: Uint8Array): Uint8Array {
  return Uint8Array.of(...varint.encode(message.byteLength), ...message)
}

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill)

describe('frames', () => {
  it('carries messages of every size within the limit, however they arrive', async () => {
    const { frames, peer } = await pair()
    const sizes = [0, 1, 127, 128, 300, 16_383, 16_384, 70_000]
    const sent = sizes.map((size) => bytes(size, size % 251))
    const wire = Buffer.concat(sent.map(frame))
    for (let at = 0; at < 200; at += 1) peer.send(wire.subarray(at, at + 1))
    peer.send(wire.subarray(200))
    for (const message of sent) assert.deepEqual(await frames.read(70_000, { signal: soon() }), message)
  })

  it('carries messages both ways at once, far larger than the transport’s window', async () => {
    const [one, other] = (await connectedStreams()).map((stream) => new Frames(stream))
    if (one === undefined || other === undefined) assert.fail()
    const large = bytes(3_000_000)
    const [, , first, second] = await Promise.all([
      one.write(large, { signal: soon() }),
      other.write(large, { signal: soon() }),
      one.read(3_000_000, { signal: soon() }),
      other.read(3_000_000, { signal: soon() }),
    ])
    assert.equal(first?.length, 3_000_000)
    assert.equal(second?.length, 3_000_000)
  })

  it('takes no message in crumbs, each of which would cost more than what is in it', async () => {
    const { frames, peer, own } = await pair()
    const reading = assert.rejects(frames.read(70_000, { signal: soon() }), { code: 'share/cut' })
    peer.send(Uint8Array.from(varint.encode(60_000)))
    for (let sent = 0; sent < 60_000 && own.status === 'open' && peer.status === 'open'; sent += 8) {
      peer.send(bytes(8))
      await new Promise(setImmediate)
    }
    await reading
    assert.notEqual(own.status, 'open')
  })

  it('ends cleanly between two messages only', async () => {
    for (const [sent, outcome] of [
      [frame(bytes(5)), 'end'],
      [frame(bytes(5)).subarray(0, 4), 'cut'],
      [Uint8Array.of(0x80), 'cut'],
      [Uint8Array.of(5), 'cut'],
    ] as const) {
      const { frames, peer } = await pair()
      peer.send(sent.slice())
      await peer.close()
      if (outcome === 'end') {
        assert.deepEqual(await frames.read(9, { signal: soon() }), bytes(5))
        assert.equal(await frames.read(9, { signal: soon() }), undefined)
        assert.equal(frames.isWaiting, false)
      } else {
        await assert.rejects(frames.read(9, { signal: soon() }), { code: 'share/cut' })
      }
    }
  })

  for (const [what, prefix] of [
    ['one byte too long', varint.encode(1001)],
    ['of half a gigabyte', varint.encode(0x1fff_ffff)],
    ['whose varint never ends', new Uint8Array(5000).fill(0xff)],
    ['whose varint is longer than any length', Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0)],
  ] as const) {
    it(`refuses a length ${what} at once, before its bytes arrive`, async () => {
      const { frames, peer } = await pair()
      peer.send(new Uint8Array(prefix))
      await assert.rejects(frames.read(1000, { signal: soon() }), { code: 'share/oversized' })
    })
  }

  it('gives up on a slow drip when its signal says so, with the signal’s reason', async () => {
    const { frames, peer } = await pair()
    peer.send(frame(bytes(100)).subarray(0, 50).slice())
    const patience = new AbortController()
    const reading = frames.read(1000, { signal: patience.signal })
    peer.send(Uint8Array.of(7))
    patience.abort(new Error('too slow'))
    await assert.rejects(reading, { message: 'too slow' })
  })

  it('reports a reset while reading, and before', async () => {
    const { frames, peer } = await pair()
    const reading = frames.read(1000, { signal: soon() })
    peer.abort(new Error('gone'))
    await assert.rejects(reading, { code: 'share/cut' })
    await assert.rejects(frames.read(1000, { signal: soon() }), { code: 'share/cut' })
    await assert.rejects(frames.write(bytes(3), { signal: soon() }), { code: 'share/cut' })
  })

  it('reports a stream that was reset before it came here', async () => {
    const [own, peer] = await connectedStreams()
    const reset = pEvent(own, 'close', { signal: soon() })
    peer.abort(new Error('over the limit'))
    await reset
    await assert.rejects(new Frames(own).read(1000, { signal: soon() }), { code: 'share/cut' })
  })

  it('still gives out what had arrived whole before the peer reset the stream', async () => {
    const { frames, peer, own } = await pair()
    const arrival = pEvent(own, 'message', { signal: soon() })
    peer.send(frame(bytes(5)))
    await arrival
    const reset = pEvent(own, 'close', { signal: soon() })
    peer.abort(new Error('gone'))
    await reset
    assert.deepEqual(await frames.read(9, { signal: soon() }), bytes(5))
    await assert.rejects(frames.read(9, { signal: soon() }), { code: 'share/cut' })
  })

  it('waits with writing until the peer takes what was written, and stops when told to', async () => {
    const [own, peer] = await connectedStreams()
    const frames = new Frames(own)
    peer.pause()
    const patience = new AbortController()
    let written = 0
    const writing = (async () => {
      for (; written < 100; written += 1) await frames.write(bytes(100_000), { signal: patience.signal })
    })()
    writing.catch(() => 'looked at below')
    for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate)
    assert.ok(written <= 5, `${written} messages were written ahead of the reader`)
    patience.abort(new Error('enough'))
    await assert.rejects(writing, { message: 'enough' })
  })

  it('reports a reset while it waits with writing', async () => {
    const [own, peer] = await connectedStreams()
    const frames = new Frames(own)
    peer.pause()
    const writing = frames.write(bytes(2_000_000), { signal: soon() })
    peer.abort(new Error('gone'))
    await assert.rejects(writing, { code: 'share/cut' })
  })

  it('reports a reset while it holds the peer back', async () => {
    const [own, peer] = await connectedStreams()
    const frames = new Frames(own)
    const reading = frames.read(1000, { signal: soon() })
    peer.send(Buffer.concat([frame(bytes(1000)), Uint8Array.of(0xff, 0xff, 0xff), bytes(400_000)]))
    assert.equal((await reading)?.length, 1000)
    assert.equal(own.readStatus, 'paused')
    const reset = pEvent(own, 'close', { signal: soon() })
    peer.abort(new Error('gone'))
    await reset
    await assert.rejects(frames.read(20_000_000, { signal: soon() }), { code: 'share/cut' })
  })

  it('closes its side, and resets the stream when the peer does not close its own', async () => {
    const { frames, own, peer } = await pair()
    const ended = pEvent(peer, 'remoteCloseWrite', { signal: soon() })
    await frames.close({ signal: soon(), lingerMs: 1 })
    await ended
    if (own.status === 'open') await pEvent(own, 'close', { signal: soon() })
    assert.equal(own.status, 'aborted')
  })

  it('leaves a stream alone that the peer has closed in time', async () => {
    const { frames, own, peer } = await pair()
    await peer.close()
    if (own.remoteWriteStatus !== 'closed') await pEvent(own, 'remoteCloseWrite', { signal: soon() })
    await frames.close({ signal: soon(), lingerMs: 1 })
    assert.equal(own.status, 'closed')
  })

  it('holds back a peer that sends more than may come now', async () => {
    const [own, peer] = await connectedStreams()
    const frames = new Frames(own)
    let taken = 0
    own.addEventListener('message', ({ data }) => {
      taken += data.byteLength
    })
    const reading = frames.read(1000, { signal: soon() })
    peer.send(Buffer.concat([frame(bytes(1000)), bytes(4_000_000)]))
    assert.equal((await reading)?.length, 1000)
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate)
    assert.equal(own.readStatus, 'paused')
    assert.ok(taken <= 256 * 1024, `${taken} bytes were buffered`)
  })
})
