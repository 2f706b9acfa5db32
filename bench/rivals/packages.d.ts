/* What is used of packages that bring no types, or that are not installed where types are checked. */

declare module 'hypercore' {
  import type { Duplex } from 'node:stream'

  /** https://docs.pears.com/building-blocks/hypercore; `state` is not described there. */
  class Hypercore {
    readonly key: Buffer
    readonly length: number
    readonly state: { readonly storage: { readonly store: { readonly rocks: { flush(): Promise<void> } } } }
    constructor(folder: string, key?: Buffer)
    ready(): Promise<void>
    append(blocks: readonly Buffer[]): Promise<unknown>
    update(options: { readonly wait: boolean }): Promise<boolean>
    download(range: { readonly start: number; readonly end: number }): { done(): Promise<unknown> }
    get(at: number, options: { readonly wait: boolean }): Promise<Buffer | null>
    replicate(stream: Duplex): Duplex
    close(): Promise<void>
  }

  export = Hypercore
}

declare module '@hyperswarm/secret-stream' {
  import type { Socket } from 'node:net'
  import { Duplex } from 'node:stream'

  class SecretStream extends Duplex {
    constructor(isInitiator: boolean, transport: Socket)
  }

  export = SecretStream
}

declare module 'blockstore-level' {
  import type { CID } from 'multiformats/cid'

  export class LevelBlockstore {
    readonly db: { put(key: string, value: Uint8Array, options: { readonly sync: boolean }): Promise<void> }
    constructor(folder: string)
    open(): Promise<void>
    close(): Promise<void>
    put(cid: CID, block: Uint8Array): Promise<CID>
    get(cid: CID): AsyncIterable<Uint8Array>
  }
}

declare module '@helia/bitswap' {
  import type { Libp2p, PeerId } from '@libp2p/interface'
  import type { LevelBlockstore } from 'blockstore-level'
  import type { CID } from 'multiformats/cid'

  export interface Bitswap {
    start(): Promise<void>
    stop(): Promise<void>
    want(
      cid: CID,
      options: { readonly signal: AbortSignal; readonly providers: readonly PeerId[] },
    ): Promise<Uint8Array>
  }

  export function createBitswap(components: {
    readonly libp2p: Libp2p
    readonly blockstore: LevelBlockstore
    readonly routing: { findProviders(): AsyncIterable<unknown> }
    readonly logger: Libp2p['logger']
  }): Bitswap
}
