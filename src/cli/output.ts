import type { Writable } from 'node:stream'

/**
 * Waits until all that was written to the streams has left the process. A pipe's reader may be slower than the process,
 * and `process.exit` drops what still waits for it.
 */
export async function written(...streams: readonly Writable[]): Promise<void> {
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))))
}
