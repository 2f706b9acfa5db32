import { type BlockNumber, SlotmeshError } from '../../domain/index.js'
import type { RuntimeCodec } from '../runtime/codec.js'

/** What a signature is bound to, and what tells runtimes apart. */
export interface RuntimeVersion {
  readonly specName: string
  readonly specVersion: number
  readonly transactionVersion: number
}

export interface Runtime {
  readonly codec: RuntimeCodec
  readonly version: RuntimeVersion
  /** The first block that is made with it; the block before carried it. */
  readonly first: BlockNumber
}

/** The runtimes that blocks are made with, one after the other, and those that are to come. */
export class Runtimes {
  readonly #known: [Runtime, ...Runtime[]]
  readonly #planned = new Map<BlockNumber, RuntimeCodec>()

  constructor(codec: RuntimeCodec) {
    this.#known = [{ codec, version: versionOf(codec), first: 0 }]
  }

  get latest(): Runtime {
    return this.#known.at(-1) ?? this.#known[0]
  }

  /** The one that a block's state holds: the next block is made with it. */
  after(block: BlockNumber): Runtime {
    return this.#known.findLast(({ first }) => first <= block + 1) ?? this.#known[0]
  }

  /** @throws SlotmeshError `devchain/upgrade-too-late` when the chain is beyond that block. */
  plan(codec: RuntimeCodec, at: BlockNumber, best: BlockNumber): void {
    if (at <= best) {
      throw new SlotmeshError(
        'devchain/upgrade-too-late',
        `The chain is at block ${best} already: choose a later block than ${at} for its upgrade.`,
      )
    }
    this.#planned.set(at, codec)
  }

  planned(at: BlockNumber): RuntimeCodec | undefined {
    return this.#planned.get(at)
  }

  /** Puts a runtime in force after the block that carries it. */
  enact(codec: RuntimeCodec, carrier: BlockNumber): Runtime {
    this.#planned.delete(carrier)
    const version = versionOf(codec)
    // Substrate refuses code whose version does not increase.
    const specVersion = Math.max(version.specVersion, this.latest.version.specVersion + 1)
    this.#known.push({ codec, version: { ...version, specVersion }, first: carrier + 1 })
    return this.latest
  }
}

/** As the metadata says, which the development chain's own does not. */
function versionOf(codec: RuntimeCodec): RuntimeVersion {
  const declared = codec.findConstant('System', 'Version')
  if (declared === undefined) return { specName: 'slotmesh-development', specVersion: 1, transactionVersion: 1 }
  return {
    specName: declared.field('specName').codec.toString(),
    specVersion: declared.field('specVersion').number(),
    transactionVersion: declared.field('transactionVersion').number(),
  }
}
