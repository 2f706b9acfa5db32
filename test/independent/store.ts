import type { Kind, LogHead, Run, Share } from '../vectors/wire.js'
import { Logs, logOf } from './provenance.js'

interface Held {
  readonly share: Share
  readonly log: string
  readonly size: number
  readonly index: number
}

export interface Want {
  readonly kind: Kind
  readonly nftId: number
  readonly minimumVersion: number
  readonly origin: number
}

export const keyOf = (kind: Kind, nftId: number) => `${kind}/${nftId}`

/** What this enclave holds and wants; in memory, for as long as it runs. */
export class Store {
  readonly logs: Logs
  readonly wants = new Map<string, Want>()
  /** Share 4.4: the block up to which the chain was gone through, from the first on: what is given is the newest as of it. */
  takenIn = 0
  readonly #held = new Map<string, Held>()

  constructor(genesisHash: Uint8Array) {
    this.logs = new Logs(genesisHash)
  }

  /** Takes a Run that is verified, but for its proof. */
  put(run: Run & { head: LogHead }): void {
    this.logs.take(run)
    for (const [at, share] of run.shares.entries()) {
      const key = keyOf(share.kind, share.nftId)
      const before = this.#held.get(key)
      if (before === undefined || before.share.version < share.version) {
        const place = { log: logOf(run.head), size: run.head.size, index: run.firstIndex + at }
        this.#held.set(key, { share: { ...share, payload: share.payload.slice() }, ...place })
      }
      const want = this.wants.get(key)
      if (want !== undefined && share.version >= want.minimumVersion) this.wants.delete(key)
    }
  }

  remove(kind: Kind, nftId: number): void {
    this.#held.delete(keyOf(kind, nftId))
    this.wants.delete(keyOf(kind, nftId))
  }

  held(kind: Kind, nftId: number): Share | undefined {
    return this.#held.get(keyOf(kind, nftId))?.share
  }

  /** Ids held of a kind, ascending. */
  ids(kind: Kind): number[] {
    const ids = [...this.#held.values()].filter(({ share }) => share.kind === kind).map(({ share }) => share.nftId)
    return ids.sort((one, other) => one - other)
  }

  /** The Run of one share; none (share 6.1) where a newer version is known of. */
  runOf(kind: Kind, nftId: number): Run | undefined {
    const held = this.#held.get(keyOf(kind, nftId))
    const isOld = (this.wants.get(keyOf(kind, nftId))?.minimumVersion ?? 0) > (held?.share.version ?? 0)
    return held && !isOld ? this.logs.runOf(held, [held.share]) : undefined
  }
}
