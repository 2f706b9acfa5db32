import type { Stream } from '@libp2p/interface'
import { bounded } from '../domain/index.js'
import type { CaseBench } from './bench.js'
import { Deviation } from './deviation.js'
import { pause } from './pause.js'

/** @throws Deviation when the other side has not ended the stream in time. */
export async function demandEnded(stream: Stream, withinMs: number, bench: CaseBench): Promise<void> {
  const isOver = () => stream.status !== 'open' || stream.remoteWriteStatus === 'closed'
  try {
    await bounded({ signals: [bench.signal], timeoutMs: withinMs }, async (signal) => {
      while (!isOver()) await pause(50, signal)
    })
  } catch (thrown) {
    bench.signal.throwIfAborted()
    if (!(thrown instanceof Error && thrown.name === 'TimeoutError')) throw thrown
    throw new Deviation(`it still waited after ${withinMs} ms`)
  }
}
