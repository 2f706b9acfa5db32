import { SlotmeshError } from '../domain/index.js'
import type { SyncState } from './parts.js'

/** `off` is no state of a seat: the engine has not been run yet, or has stopped. */
export type LifeState = 'off' | SyncState

interface Arrow {
  readonly from: readonly LifeState[]
  /** Absent where the state stays what it is. */
  readonly to?: LifeState
  /** What has happened. */
  readonly when: string
  /** What the enclave does about it. */
  readonly does: string
}

const SEATED = ['setup', 'running'] as const

/** All that can happen in the life of an enclave. What is not an arrow here does not happen: {@link LifeCycle.take}. */
export const LIFE_CYCLE = {
  'started without a seat': {
    from: ['off'],
    to: 'unregistered',
    when: 'it is started, and the chain has no seat for it',
    does: 'waits; asks for nothing and serves nothing',
  },
  'started in setup': {
    from: ['off'],
    to: 'setup',
    when: 'it is started in a seat, and its folder is new, altered, of another seat, or was left in setup',
    does: 'begins the setup, or goes on with the wants that are open',
  },
  'started again': {
    from: ['off'],
    to: 'running',
    when: 'it is started in the seat that its folder is of, where its setup was complete',
    does: 'goes on from its cursor, and compares what it holds with what the chain lists',
  },
  registered: {
    from: ['unregistered'],
    to: 'setup',
    when: 'the chain gives it a seat',
    does: 'erases what is of another seat, and wants every share that the chain lists for this one',
  },
  'registered again': {
    from: ['unregistered'],
    to: 'running',
    when: 'the chain gives it back the seat that it had, where its setup was complete',
    does: 'goes on from its cursor with what it has kept',
  },
  'setup complete': {
    from: ['setup'],
    to: 'running',
    when: 'no want is open any more',
    does: 'marks it in its folder',
  },
  synced: {
    from: SEATED,
    when: 'a final block syncs a share, or a capsule anew',
    does: 'wants it in that version, or makes it of what its owner has handed over; a newer one replaces the older',
  },
  'to be synced anew': {
    from: SEATED,
    when: 'a final block announces another version of a capsule',
    does: 'keeps what it holds until that version is synced',
  },
  burned: {
    from: SEATED,
    when: 'a final block burns an NFT, or turns it back',
    does: 'erases the share, and what is wanted or pending of it',
  },
  moved: {
    from: SEATED,
    to: 'setup',
    when: 'its seat is another, or was for a time',
    does: 'erases everything, and begins a setup',
  },
  stayed: {
    from: SEATED,
    when: 'its seat was seen to be another, and is its own again before any of that was taken in',
    does: 'goes on from its cursor',
  },
  unregistered: {
    from: SEATED,
    to: 'unregistered',
    when: 'its seat is lost',
    does: 'keeps its shares; asks for nothing and serves nothing',
  },
  stopped: {
    from: ['unregistered', ...SEATED],
    to: 'off',
    when: 'it is stopped, or fails',
    does: 'keeps all in its folder, wants and cursor included',
  },
} as const satisfies Record<string, Arrow>

export type ArrowName = keyof typeof LIFE_CYCLE

/** Where an enclave is in its life; it gets from one state to another by the arrows of {@link LIFE_CYCLE} alone. */
export class LifeCycle {
  readonly #told: (state: SyncState) => void
  #state: LifeState = 'off'
  #lastTold: SyncState | undefined

  /** @param told is told of each state that is another than the last one, being stopped in between or not. */
  constructor(told: (state: SyncState) => void) {
    this.#told = told
  }

  get state(): LifeState {
    return this.#state
  }

  /** The last state that was told; undefined before the first. */
  get lastTold(): SyncState | undefined {
    return this.#lastTold
  }

  /** @throws SlotmeshError `sync/no-such-arrow` when the arrow does not begin where this enclave is. */
  take(name: ArrowName): void {
    const { from, to = this.#state }: Arrow = LIFE_CYCLE[name]
    if (!from.includes(this.#state)) {
      throw new SlotmeshError(
        'sync/no-such-arrow',
        `An enclave that is ${this.#state} cannot come to be "${name}": this is a defect of the program.`,
      )
    }
    this.#state = to
    if (to === 'off' || to === this.#lastTold) return
    this.#lastTold = to
    this.#told(to)
  }
}
