import type { Action } from '../scenario/index.js'
import { type MeshModel, type ModelCluster, type ModelEnclave, SIDES } from './mesh-model.js'

/** Makes the choices: of a seed, or of a test that wants the smallest that fail. */
export interface Chooser {
  /** A whole number, both ends included. */
  integer(minimum: number, maximum: number): number
}

/** One kind of trouble. */
export interface Move {
  /** How often it is chosen, beside the others that are possible. */
  readonly weight: number
  isPossible(mesh: MeshModel): boolean
  /** Only where it is possible. */
  make(mesh: MeshModel, choose: Chooser): Action
}

/** What stays as it is, however long it goes on: each newcomer is a process for the rest of the run. */
const MOST = { clusters: 2, impostors: 2, departures: 1 } as const

/** So many clusters take shares at any time. */
const LEAST_COMPLETE = 2

/** Slower than the block time, and faster than deadlines. */
const LATENCY_MS = { least: 20, most: 300 } as const

/** Shorter than a view of the chain may be old; in ms. */
const OUTAGE_MS = { least: 3_000, most: 20_000 } as const

/** Ms. */
const HOSTILITY_MS = { least: 2_000, most: 8_000 } as const

/** Those that may be killed: all, or the first two of each cluster, where each needs a process of its own. */
export type Killable = 'all' | 'some'

const KILLABLE_SLOTS = 2

/** All kinds of trouble, each with what must be so for the mesh to be able to come out of it whole. */
export function movesOf(killable: Killable): readonly Move[] {
  const canBeKilled = ({ name, isUp }: ModelEnclave) => isUp && (killable === 'all' || name.slot < KILLABLE_SLOTS)
  const onEnclave = (
    weight: number,
    suits: (enclave: ModelEnclave) => boolean,
    make: (enclave: ModelEnclave, choose: Chooser) => Action,
  ): Move => ({
    weight,
    isPossible: ({ enclaves }) => enclaves.some(suits),
    make: ({ enclaves }, choose) => make(oneOf(enclaves.filter(suits), choose), choose),
  })
  const onCluster = (
    weight: number,
    suiting: (mesh: MeshModel) => readonly ModelCluster[],
    make: (cluster: ModelCluster, choose: Chooser) => Action,
  ): Move => ({
    weight,
    isPossible: (mesh) => suiting(mesh).length > 0,
    make: (mesh, choose) => make(oneOf(suiting(mesh), choose), choose),
  })
  const plain = (weight: number, isPossible: Move['isPossible'], make: Move['make']): Move => ({
    weight,
    isPossible,
    make,
  })
  // What was synced by a cluster and is nowhere else yet would be lost with its slots, or shut in with it.
  const movable = (mesh: MeshModel) => (mesh.isSettled && mesh.isCalm ? mesh.complete : [])
  const dispensable = (mesh: MeshModel) => (movable(mesh).length > LEAST_COMPLETE ? movable(mesh) : [])
  return [
    plain(
      6,
      ({ open }) => open.length > 0,
      (_, choose) => ({
        type: 'mint',
        secrets: choose.integer(0, 3),
        capsules: choose.integer(1, 2),
        meanwhile: true,
      }),
    ),
    onEnclave(4, canBeKilled, ({ name }) => ({ type: 'kill', enclave: name })),
    onEnclave(
      2,
      ({ isUp }) => isUp,
      ({ name }) => ({ type: 'stop', enclave: name }),
    ),
    onEnclave(
      6,
      ({ isUp }) => !isUp,
      ({ name }) => ({ type: 'restart', enclave: name }),
    ),
    onEnclave(
      2,
      ({ isUp, isSlow }) => isUp && !isSlow,
      ({ name }, choose) => ({
        type: 'slow',
        enclave: name,
        latency: choose.integer(LATENCY_MS.least, LATENCY_MS.most),
      }),
    ),
    onEnclave(
      2,
      ({ isUp }) => isUp,
      ({ name }) => ({ type: 'disconnect', enclave: name }),
    ),
    plain(
      2,
      ({ isCut }) => !isCut,
      () => ({ type: 'partition', one: [SIDES[0]], other: [SIDES[1]] }),
    ),
    plain(
      3,
      ({ isCut }) => isCut,
      () => ({ type: 'heal' }),
    ),
    plain(
      2,
      ({ isSilent }) => !isSilent,
      (_, choose) => ({
        type: 'chain-outage',
        region: oneOf([...SIDES, '*'], choose),
        lasts: choose.integer(OUTAGE_MS.least, OUTAGE_MS.most),
      }),
    ),
    plain(
      1,
      () => true,
      () => ({ type: 'runtime-upgrade' }),
    ),
    plain(
      2,
      () => true,
      (_, choose) => ({ type: 'hostile', lasts: choose.integer(HOSTILITY_MS.least, HOSTILITY_MS.most) }),
    ),
    // Both wait until everybody has answered.
    plain(
      1,
      (mesh) => mesh.isCalm && mesh.count('impostor') < MOST.impostors,
      (_, choose) => ({ type: 'impostor', slot: choose.integer(0, 4) }),
    ),
    plain(
      1,
      ({ isCalm }) => isCalm,
      () => ({ type: 'stranger' }),
    ),
    plain(
      1,
      (mesh) => mesh.isCalm && mesh.count('add-cluster') < MOST.clusters,
      () => ({ type: 'add-cluster', access: 'public' }),
    ),
    onCluster(1, dispensable, ({ id }) => ({ type: 'set-access', cluster: id, access: 'private' })),
    onCluster(
      2,
      (mesh) => (mesh.isSettled ? mesh.clusters.filter(({ access }) => access === 'private') : []),
      ({ id }) => ({ type: 'set-access', cluster: id, access: 'public' }),
    ),
    onCluster(1, movable, ({ id }, choose) => {
      const one = choose.integer(0, 4)
      return { type: 'swap-slots', cluster: id, slots: [one, (one + choose.integer(1, 4)) % 5] }
    }),
    onCluster(
      1,
      (mesh) => (mesh.count('unassign') < MOST.departures ? dispensable(mesh) : []),
      ({ enclaves }, choose) => ({ type: 'unassign', enclave: oneOf(enclaves, choose).name }),
    ),
    // The oldest are burned: what is left is to have a secret among it that can be made a hybrid.
    plain(
      1,
      (mesh) => mesh.convertible > 0 && mesh.isCalm && mesh.isSettled && mesh.open.length > 1,
      () => ({ type: 'convert-to-hybrid' }),
    ),
    plain(
      1,
      ({ burnable, isCalm, isMinting }) => burnable > 4 && isCalm && !isMinting,
      () => ({ type: 'burn', nfts: 1 }),
    ),
  ]
}

/** What ends all trouble, but for what is for ever. */
export function remedies({ isCut, enclaves }: MeshModel): Action[] {
  return [
    ...(isCut ? [{ type: 'heal' } as const] : []),
    ...enclaves.flatMap(({ name, isSlow }): Action[] => (isSlow ? [{ type: 'slow', enclave: name, latency: 0 }] : [])),
    ...enclaves.flatMap(({ name, isUp }): Action[] => (isUp ? [] : [{ type: 'restart', enclave: name }])),
  ]
}

function oneOf<Item>(items: readonly Item[], choose: Chooser): Item {
  const chosen = items[choose.integer(0, items.length - 1)]
  if (chosen === undefined) throw new Error('There is nothing to choose from.')
  return chosen
}
