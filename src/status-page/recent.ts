import type { NodeEvent } from '../node/index.js'
import type { FetchView, News, TriggerView } from './model/messages.js'

/** Of each kind. */
const KEPT = 20

/** The latest that a node has told of, the newest first. */
export class Recent {
  #triggers: readonly TriggerView[] = []
  #fetches: readonly FetchView[] = []
  #changes = 0

  /** Another number each time there are news. */
  get version(): number {
    return this.#changes
  }

  heard(event: NodeEvent): void {
    if (event.type === 'triggers') {
      const { block, at } = event
      const views = event.triggers.map((trigger): TriggerView => {
        const { type, kind, nftId } = trigger
        return { at, block, type, kind, nftId, cluster: trigger.type === 'synced' ? trigger.cluster : undefined }
      })
      this.#triggers = [...views.reverse(), ...this.#triggers].slice(0, KEPT)
    } else if (event.type === 'share-stored') {
      const { key, from, at, triggeredAt } = event
      this.#fetches = [{ at, ...key, from, ms: at - triggeredAt }, ...this.#fetches].slice(0, KEPT)
    } else return
    this.#changes += 1
  }

  news(): News {
    return { triggers: this.#triggers, fetches: this.#fetches }
  }
}
