import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { bounded, type Clock, pause } from '../domain/index.js'
import { SHARE_PROTOCOL } from '../share/index.js'

/** How long one stream is kept at, before the next; ms. */
const STREAM_MS = 1_500

/** Between two bytes of one who drips them; ms. */
const DRIP_MS = 100

/** Whoever is turned away tries again after so long; ms. */
const TURNED_AWAY_MS = 100

interface Offender {
  readonly stream: Stream
  readonly bytes: (length: number) => Uint8Array
  readonly pause: (ms: number) => Promise<void>
}

/** What no honest peer does on a new stream of the share protocol. */
const OFFENCES: readonly ((offender: Offender) => Promise<void> | void)[] = [
  function garbage({ stream, bytes }) {
    stream.send(Uint8Array.of(200, 1, ...bytes(200)))
  },
  function oversized({ stream }) {
    stream.send(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))
  },
  function endlessLength({ stream }) {
    stream.send(new Uint8Array(16).fill(0xff))
  },
  async function drip({ stream, bytes, pause }) {
    stream.send(Uint8Array.of(200, 1))
    for (const byte of bytes(10)) {
      await pause(DRIP_MS)
      if (stream.status !== 'open') return
      stream.send(Uint8Array.of(byte))
    }
  },
  function silence() {
    // It says nothing, and is waited for.
  },
  function halfAMessage({ stream, bytes }) {
    stream.send(Uint8Array.of(200, 1, ...bytes(20)))
    stream.abort(new Error('It was cut off.'))
  },
]

export interface HostilityInit {
  readonly host: Pick<Libp2p, 'dialProtocol'>
  readonly target: PeerId | Multiaddr[]
  /** Ms. */
  readonly lasts: number
  readonly bytes: (length: number) => Uint8Array
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Does what no honest peer does, one thing after the other. @returns how many streams it was given. */
export async function harass({ host, target, lasts, bytes, clock, signal }: HostilityInit): Promise<number> {
  const until = clock.now() + lasts
  const given = { streams: 0 }
  for (let turn = 0; clock.now() < until && !signal.aborted; turn += 1) {
    const offend = OFFENCES[turn % OFFENCES.length]
    // What it meets is of no concern: it is turned away, or cut off, as it should be.
    await bounded({ signals: [signal], timeoutMs: STREAM_MS, clock }, async (either) => {
      const stream = await host.dialProtocol(target, SHARE_PROTOCOL, { signal: either })
      given.streams += 1
      const ended = new Promise<void>((resolve) => stream.addEventListener('close', () => resolve(), { once: true }))
      await offend?.({ stream, bytes, pause: (ms) => pause(ms, { clock, signal: either }) })
      await Promise.race([ended, pause(STREAM_MS, { clock, signal: either }).catch(() => undefined)])
      if (stream.status === 'open') stream.abort(new Error('Enough.'))
    }).catch(() => undefined)
    await pause(TURNED_AWAY_MS, { clock, signal }).catch(() => undefined)
  }
  return given.streams
}
