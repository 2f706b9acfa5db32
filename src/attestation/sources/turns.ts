import { abortable } from '../../domain/index.js'
import type { DeviceFiles } from './device-files.js'
import { QuoteSourceError } from './errors.js'

/** More than the provider's exchanges at one time (16) and the requester's own, so that only a stuck device fills it. */
const MAXIMUM_WAITING = 64

/**
 * Lets one use the device after the other. Whoever gives up waiting leaves at once; the device is not given on before
 * the last one has really let go of it.
 */
class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** @throws QuoteSourceError `quote-source/busy`; the signal's reason when it aborts; what `work` throws. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    if (this.#waiting >= MAXIMUM_WAITING) throw busy()
    this.#waiting += 1
    const turn = this.#last.then(async () => {
      signal.throwIfAborted()
      return work()
    })
    // Only the order matters to the next in line; the caller has the failure.
    this.#last = turn.catch(() => undefined).finally(() => (this.#waiting -= 1))
    return abortable(turn, signal)
  }
}

const turns = new WeakMap<DeviceFiles, Map<string, Turns>>()

/** The turns of the device in a folder: the same for all sources of this process, since it is one device. */
export async function turnsAt(files: DeviceFiles, folder: string): Promise<Turns> {
  const path = await files.realPath(folder)
  const byPath = turns.get(files) ?? new Map<string, Turns>()
  const found = byPath.get(path) ?? new Turns()
  turns.set(files, byPath.set(path, found))
  return found
}

function busy(): QuoteSourceError {
  return new QuoteSourceError(
    'quote-source/busy',
    `${MAXIMUM_WAITING} quotes wait for the device already; if that goes on, it is stuck: restart the enclave.`,
  )
}
