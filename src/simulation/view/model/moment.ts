import type { RunEvent } from '../../record/events.js'
import { samplesOf } from '../../record/samples.js'
import { Enclaves } from './enclaves.js'

/** How a run stood at one moment: all events up to it, one after the other. */
export class Moment {
  readonly enclaves: Enclaves
  listed: number
  block: number

  constructor(from?: Moment) {
    this.enclaves = from?.enclaves.copy() ?? new Enclaves()
    this.listed = from?.listed ?? 0
    this.block = from?.block ?? 0
  }

  apply(event: RunEvent): void {
    switch (event.type) {
      case 'enclave':
        this.enclaves.setState(event.enclave, event.state)
        break
      case 'block':
        this.block = event.block
        break
      case 'trigger':
        this.#trigger(event.cluster)
        break
      case 'stored':
        this.enclaves.hold(event.enclave)
        break
      case 'sample':
        this.listed = event.listed
        for (const [name, sample] of samplesOf(event)) this.enclaves.setSample(name, sample)
        break
      default:
    }
  }

  /** The origin's enclaves hold it already. */
  #trigger(cluster: number): void {
    this.listed += 1
    for (let slot = 0; slot < 5; slot += 1) {
      const name = `c${cluster}-s${slot}`
      if (this.enclaves.view(name) !== undefined) this.enclaves.hold(name)
    }
  }
}
