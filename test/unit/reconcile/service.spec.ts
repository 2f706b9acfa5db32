import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { fromHex } from '../../../src/crypto/index.js'
import { type Clock, type Offence, silentLogger, systemClock } from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import { Inventory } from '../../../src/inventory/index.js'
import { type ReconcileHost, ReconcileService } from '../../../src/reconcile/service.js'
import { ProviderMessage, RequesterMessage } from '../../../src/reconcile/wire/reconcile.js'
import { connectedStreams, soon } from '../share/fixture.js'
import { account, GENESIS, inventoryOf, secrets, sideOf } from './fixture.js'

const signal = soon(19_000)
const peerOf = (name: string) => ({ toString: () => `peer of ${name}` }) as PeerId
const hello = (name: string) =>
  RequesterMessage.encode({ hello: { genesisHash: fromHex(GENESIS), account: fromHex(account(name).account) } })
const garbage = Uint8Array.of(0xff)

/** A service on a host of which the test plays the other end; peers of other slot peers are named by records. */
async function service() {
  const lines: string[] = []
  const offences: Offence[] = []
  const shut = new Set<string>()
  const timers = new Set<{ readonly ms: number; readonly expire: () => void }>()
  const clock: Clock = {
    now: () => 1_000_000,
    after: (ms, expire) => {
      const timer = { ms, expire }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  let serve: (stream: Stream, connection: Connection) => Promise<void> | void = () => assert.fail()
  let dialled: Stream | undefined
  const host: ReconcileHost = {
    handle: async (_, handler) => {
      serve = handler
    },
    unhandle: async () => undefined,
    dialProtocol: async () => dialled ?? assert.fail('It was dialled.'),
  }
  const reconcile = new ReconcileService({
    ...sideOf('giving', inventoryOf(secrets(0, 10))),
    host,
    clock,
    isNamed: (peer) => !peer.includes('stranger'),
    isShut: (who) => shut.has(who),
    onOffence: (offence) => offences.push(offence),
    logger: { ...silentLogger, info: (message) => lines.push(message), warn: (message) => lines.push(message) },
  })
  await reconcile.start()
  /** One stream of this peer; each message is sent. @returns what is answered, by name, or that it is reset. */
  const stream = async (name: string, ...messages: readonly Uint8Array[]): Promise<string> => {
    const [near, far] = await connectedStreams()
    const frames = new Frames(near, systemClock, 'reconcile')
    const served = serve(far, { remotePeer: peerOf(name) } as Connection)
    let told = 'reset'
    try {
      for (const message of messages) {
        await frames.write(message, { signal })
        const { refusal, ...answer } = ProviderMessage.decode((await frames.read(98_304, { signal })) ?? garbage)
        told = refusal?.code ?? Object.keys(answer).join()
      }
    } catch {
      told = 'reset'
    }
    frames.abort(new Error('done'))
    await served
    return told
  }
  /** Has a provider asked that answers the Hello with this. */
  const ask = async (message: Uint8Array) => {
    const [near, far] = await connectedStreams()
    dialled = near
    const frames = new Frames(far, systemClock, 'reconcile')
    const asking = reconcile
      .compare(
        { account: account('asking').account, peer: peerOf('asking') },
        { held: new Inventory(), turn: 0, signal },
      )
      .catch((thrown) => thrown.code)
    await frames.read(256, { signal })
    await frames.write(message, { signal })
    const outcome = await asking
    if (far.status === 'open') await once(far, 'close').catch(() => undefined)
    return outcome
  }
  /** One stream of this peer, on which nothing more comes after these messages and what is answered, until time is up. */
  const silence = async (name: string, ms: number, ...messages: readonly Uint8Array[]): Promise<void> => {
    const [near, far] = await connectedStreams()
    const frames = new Frames(near, systemClock, 'reconcile')
    const served = serve(far, { remotePeer: peerOf(name) } as Connection)
    for (const message of messages) {
      await frames.write(message, { signal })
      await frames.read(98_304, { signal })
    }
    await expire(ms)
    await served
  }
  /** Has a provider asked that answers nothing, until time is up. */
  const askSilent = async () => {
    const [near, far] = await connectedStreams()
    dialled = near
    const asking = reconcile.compare(
      { account: account('asking').account, peer: peerOf('asking') },
      { held: new Inventory(), turn: 0, signal },
    )
    await new Frames(far, systemClock, 'reconcile').read(256, { signal })
    await expire(10_000)
    await assert.rejects(asking, { name: 'TimeoutError' })
  }
  const expire = async (ms: number) => {
    const due = () => [...timers].filter((timer) => timer.ms === ms)
    while (due().length === 0) await new Promise((resolve) => setImmediate(resolve))
    for (const timer of due()) timer.expire()
  }
  return { stream, ask, silence, askSilent, reconcile, lines, offences, shut }
}

describe('a service of reconciliation', () => {
  it('blames who sends what no honest peer sends: the peer, or the account where its record names the peer', async () => {
    const { stream, offences } = await service()
    assert.equal(await stream('stranger', garbage), 'MALFORMED')
    assert.equal(await stream('stranger', new Uint8Array(300)), 'reset')
    assert.equal(await stream('asking', hello('asking'), garbage), 'MALFORMED')
    assert.equal(await stream('other-0', hello('asking')), 'UNKNOWN_PEER')
    const peer = 'peer of stranger'
    assert.deepEqual(offences, [
      { kind: 'malformed', peer, account: undefined },
      { kind: 'oversized', peer, account: undefined },
      { kind: 'malformed', peer: 'peer of asking', account: account('asking').account },
    ])
  })

  it('blames whom it asks just so', async () => {
    const { ask, offences } = await service()
    assert.equal(await ask(garbage), 'reconcile/refusing')
    assert.equal(await ask(new Uint8Array(300)), 'reconcile/oversized')
    const who = { peer: 'peer of asking', account: account('asking').account }
    assert.deepEqual(offences, [
      { kind: 'malformed', ...who },
      { kind: 'oversized', ...who },
    ])
  })

  it('blames who says nothing until time is up: lightly, unless it has had a place', async () => {
    const { silence, askSilent, offences } = await service()
    await silence('stranger', 10_000)
    await silence('asking', 30_000, hello('asking'))
    await askSilent()
    const who = { peer: 'peer of asking', account: account('asking').account }
    assert.deepEqual(offences, [
      { kind: 'silence', peer: 'peer of stranger', account: undefined },
      { kind: 'stall', ...who },
      { kind: 'slow', ...who },
    ])
  })

  it('does nothing for who is shut out, peer or account, and asks it nothing', async () => {
    const { stream, reconcile, shut, offences } = await service()
    shut.add('peer of stranger').add(account('asking').account)
    assert.equal(await stream('stranger', garbage), 'reset')
    assert.equal(await stream('asking', hello('asking')), 'BUSY')
    const request = { held: new Inventory(), turn: 0, signal }
    const provider = { account: account('asking').account, peer: peerOf('asking') }
    await assert.rejects(reconcile.compare(provider, request), { code: 'reconcile/shut' })
    shut.clear()
    shut.add('peer of asking')
    await assert.rejects(reconcile.compare(provider, request), { code: 'reconcile/shut' })
    assert.deepEqual(offences, [])
  })

  it('reads so many streams of a peer in a minute, and of all strangers together, and no line is logged for them', async () => {
    const { stream, lines, offences } = await service()
    const times = async (name: (turn: number) => string, count: number) => {
      const told = []
      for (let turn = 0; turn < count; turn += 1) told.push(await stream(name(turn), hello('nobody')))
      return told.filter((each) => each === 'NOT_REGISTERED').length
    }
    assert.equal(await times(() => 'stranger', 40), 30)
    assert.deepEqual(offences, Array(10).fill({ kind: 'flood', peer: 'peer of stranger' }))
    assert.equal(await times((turn) => `stranger ${turn}`, 100), 90)
    assert.equal(offences.length, 10)
    assert.deepEqual(lines, [])
    assert.equal(await stream('asking', hello('asking')), 'summary')
  }).timeout(10_000)
})
