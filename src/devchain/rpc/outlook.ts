import type { BlockHash, BlockNumber, Hex } from '../../domain/index.js'
import type { Block } from '../ledger/block.js'
import type { Ledger } from '../ledger/ledger.js'
import type { Changes } from '../ledger/state.js'
import type { Faults } from './faults.js'

/** Called for a new best block, and whether an entry of storage may differ from what was told before. */
type HeadListener = (block: Block, mayDiffer: (key: Hex) => boolean) => void

/** The ledger as one endpoint shows it: up to the block that its faults name. */
export class Outlook {
  readonly headListeners = new Set<HeadListener>()
  readonly finalityListeners = new Set<(block: Block) => void>()
  readonly #ledger: Ledger
  readonly #faults: Faults
  #hidden: { readonly block: Block; readonly act: () => void }[] = []
  #best: Block
  #finalized: Block

  constructor(ledger: Ledger, faults: Faults) {
    this.#ledger = ledger
    this.#faults = faults
    this.#best = this.best
    this.#finalized = this.finalized
    ledger.blockListeners.add(this.#onBlock)
    faults.on('view', this.#onView)
  }

  get best(): Block {
    return this.#shown(this.#ledger.best)
  }

  get finalized(): Block {
    return this.#shown(this.#ledger.finalized)
  }

  block(number: BlockNumber): Block | undefined {
    return this.#isShown(number) ? this.#ledger.block(number) : undefined
  }

  blockOf(hash: BlockHash): Block | undefined {
    const block = this.#ledger.blockOf(hash)
    return block !== undefined && this.#isShown(block.number) ? block : undefined
  }

  /** Does something once a block is shown, in the order in which it was asked for. */
  whenShown(block: Block | undefined, act: () => void): void {
    if (block === undefined || this.#isShown(block.number)) act()
    else this.#hidden.push({ block, act })
  }

  close(): void {
    this.#ledger.blockListeners.delete(this.#onBlock)
  }

  readonly #onBlock = (block: Block, changes: Changes): void => {
    if (this.#isShown(block.number)) this.#look((key) => changes.has(key))
  }

  readonly #onView = (): void => this.#look(() => true)

  /** Tells what is new since the last look, be it further or back. */
  #look(mayDiffer: (key: Hex) => boolean): void {
    const { best, finalized } = this
    if (best !== this.#best) for (const listener of this.headListeners) listener(best, mayDiffer)
    if (finalized !== this.#finalized) for (const listener of this.finalityListeners) listener(finalized)
    this.#best = best
    this.#finalized = finalized
    const hidden = this.#hidden
    this.#hidden = []
    for (const { block, act } of hidden) this.whenShown(block, act)
  }

  #newest(): BlockNumber {
    return Math.min(this.#ledger.kept, Math.max(0, this.#faults.showUpTo ?? this.#ledger.kept))
  }

  #isShown(number: BlockNumber): boolean {
    return number <= this.#newest()
  }

  #shown(block: Block): Block {
    return this.#isShown(block.number) ? block : (this.#ledger.block(this.#newest()) ?? block)
  }
}
