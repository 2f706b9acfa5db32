import { CLUSTER_SIZE } from '../../domain/index.js'
import { type Action, type EnclaveName, nameOf } from '../scenario/index.js'

export interface ModelEnclave {
  readonly name: EnclaveName
  isUp: boolean
  isSeated: boolean
  isSlow: boolean
}

export interface ModelCluster {
  readonly id: number
  readonly enclaves: readonly ModelEnclave[]
  access: 'public' | 'private'
}

/** The two sides that a mesh is cut into; clusters that come later are in neither. */
export const SIDES = ['north', 'south'] as const

/**
 * What a generator knows of the mesh that it makes trouble for: enough to tell what can be done to it without asking for
 * what no mesh can give, such as a share whose only holders were moved to other slots.
 */
export class MeshModel {
  readonly clusters: ModelCluster[] = []
  /** Ms since the first clusters were up, without what is waited for in between. */
  now = 0
  isCut = false
  /** Owners have begun what may not be done yet. */
  isMinting = false
  /** A seat has changed since all was settled. */
  hasMoved = false
  /** Of secret NFTs, and of those that are a capsule only; what was minted since all was settled is not among them. */
  #settled = { secrets: 0, capsules: 0 }
  #minted = { secrets: 0, capsules: 0 }
  #converted = 0
  #silentUntil = 0
  #nextCluster = 0
  #counts = new Map<Action['type'], number>()

  constructor(clusters: number) {
    for (let made = 0; made < clusters; made += 1) this.#addCluster('public')
  }

  /** How often something was done. */
  count(type: Action['type']): number {
    return this.#counts.get(type) ?? 0
  }

  get enclaves(): readonly ModelEnclave[] {
    return this.clusters.flatMap(({ enclaves }) => enclaves)
  }

  /** Public clusters with all their seats taken. */
  get complete(): readonly ModelCluster[] {
    return this.clusters.filter(
      ({ access, enclaves }) => access === 'public' && enclaves.every(({ isSeated }) => isSeated),
    )
  }

  /** Where owners can hand all five shares over. */
  get open(): readonly ModelCluster[] {
    return this.complete.filter(({ enclaves }) => enclaves.every(({ isUp }) => isUp))
  }

  /** Everybody is up and can reach everybody, and the chain. */
  get isCalm(): boolean {
    return !this.isCut && !this.isSilent && this.enclaves.every(({ isUp }) => isUp)
  }

  get isSilent(): boolean {
    return this.now < this.#silentUntil
  }

  /** Whatever is held anywhere is held everywhere, but for what private clusters have of their own. */
  get isSettled(): boolean {
    return !this.isMinting && !this.hasMoved
  }

  get burnable(): number {
    return this.#settled.secrets + this.#settled.capsules
  }

  get convertible(): number {
    return this.#settled.secrets - this.#converted
  }

  /** All that there was to do is done. */
  settle(): void {
    this.isMinting = false
    this.hasMoved = false
    this.#settled.secrets += this.#minted.secrets
    this.#settled.capsules += this.#minted.capsules
    this.#minted = { secrets: 0, capsules: 0 }
  }

  apply(action: Action): void {
    this.#counts.set(action.type, this.count(action.type) + 1)
    switch (action.type) {
      case 'kill':
      case 'stop':
        this.#enclave(action.enclave).isUp = false
        break
      case 'restart':
        this.#enclave(action.enclave).isUp = true
        break
      case 'partition':
        this.isCut = true
        break
      case 'heal':
        this.isCut = false
        break
      case 'slow':
        this.#enclave(action.enclave).isSlow = action.latency > 0
        break
      case 'chain-outage':
        this.#silentUntil = Math.max(this.#silentUntil, this.now + action.lasts)
        break
      case 'impostor':
        this.#nextCluster += 1
        break
      case 'add-cluster':
        this.#addCluster(action.access)
        this.hasMoved = true
        break
      case 'set-access':
        this.#cluster(action.cluster).access = action.access
        this.hasMoved = true
        break
      case 'swap-slots':
        this.hasMoved = true
        break
      case 'unassign':
        this.#enclave(action.enclave).isSeated = false
        this.hasMoved = true
        break
      case 'mint':
        this.#minted.secrets += action.secrets
        this.#minted.capsules += action.capsules
        this.isMinting = true
        break
      case 'convert-to-hybrid':
        this.#converted += 1
        this.isMinting = true
        break
      case 'burn':
        // The oldest first: nobody needs to know which these are, as long as enough are left.
        this.#settled.secrets -= action.nfts
        break
    }
  }

  #addCluster(access: 'public' | 'private'): void {
    const id = this.#nextCluster
    this.#nextCluster += 1
    const enclaves = Array.from(
      { length: CLUSTER_SIZE },
      (_, slot): ModelEnclave => ({ name: { cluster: id, slot }, isUp: true, isSeated: true, isSlow: false }),
    )
    this.clusters.push({ id, enclaves, access })
  }

  #cluster(id: number): ModelCluster {
    const found = this.clusters.find((cluster) => cluster.id === id)
    if (found === undefined) throw new Error(`There is no cluster ${id} in the model.`)
    return found
  }

  #enclave(name: EnclaveName): ModelEnclave {
    const found = this.enclaves.find((enclave) => nameOf(enclave.name) === nameOf(name))
    if (found === undefined) throw new Error(`There is no enclave ${nameOf(name)} in the model.`)
    return found
  }
}
