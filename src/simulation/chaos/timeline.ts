import type { Action, Step } from '../scenario/index.js'
import { MeshModel } from './mesh-model.js'
import { type Chooser, type Killable, type Move, movesOf, remedies } from './moves.js'

/** Between two things that happen, in ms: less than a block, and several. */
const PAUSE_MS = { least: 200, most: 3_000 } as const

/** How many things happen before all of it is to come to rest. */
const MOVES = { least: 2, most: 6 } as const

/** When all has come to rest. */
const LOOK: Step = { when: 'settled', do: { type: 'verify' } }

/**
 * Trouble at random, round after round: some of it, one upon the other, then its end, and a look at whether everybody holds
 * what the chain lists. Nothing is asked for that no mesh could come out of whole.
 */
export class Troublemaker {
  readonly #mesh: MeshModel
  readonly #moves: readonly Move[]

  constructor({ clusters, killable }: { readonly clusters: number; readonly killable: Killable }) {
    this.#mesh = new MeshModel(clusters)
    this.#moves = movesOf(killable)
  }

  /** Before everything else: there is something to lose, and somebody who must not have it. */
  opening(): Step[] {
    const steps = [this.#do({ type: 'mint', secrets: 2, capsules: 1 }), this.#do({ type: 'stranger' })]
    this.#mesh.settle()
    return [...steps, LOOK]
  }

  /** One round. @param moves how many; chosen, too, when undefined. */
  round(choose: Chooser, moves = choose.integer(MOVES.least, MOVES.most)): Step[] {
    const steps = Array.from({ length: moves }, () => this.#step(choose))
    steps.push(...remedies(this.#mesh).map((action) => this.#do(action)))
    this.#mesh.settle()
    return [...steps, LOOK]
  }

  #step(choose: Chooser): Step {
    const after = choose.integer(PAUSE_MS.least, PAUSE_MS.most)
    this.#mesh.now += after
    return { after, ...this.#do(this.#choose(choose).make(this.#mesh, choose)) }
  }

  #do(action: Action): Step {
    this.#mesh.apply(action)
    return { do: action }
  }

  #choose(choose: Chooser): Move {
    const possible = this.#moves.filter((move) => move.isPossible(this.#mesh))
    let turn = choose.integer(
      1,
      possible.reduce((sum, { weight }) => sum + weight, 0),
    )
    for (const move of possible) {
      turn -= move.weight
      if (turn <= 0) return move
    }
    throw new Error('Nothing can be done to this mesh.')
  }
}
