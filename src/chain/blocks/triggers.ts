import type { AccountId, BlockNumber, ClusterId, Registry, Trigger } from '../../domain/index.js'
import { unreadableBlock } from '../errors.js'
import type { RelevantEvent } from './events.js'

/** The registry around a block, each read only when needed. */
export interface RegistriesAround {
  before(): Promise<Registry>
  after(): Promise<Registry>
}

/**
 * What a block's events mean. The chain names no cluster when a share is synced: it is that of the enclave that
 * confirmed the same NFT in the same extrinsic, of which there can be several.
 * @throws SlotmeshError `chain/unreadable-block` when that enclave cannot be told or has no seat.
 */
export async function triggersOf(
  block: BlockNumber,
  events: readonly RelevantEvent[],
  registries: RegistriesAround,
): Promise<Trigger[]> {
  const triggers: Trigger[] = []
  for (const [position, event] of events.entries()) {
    if (event.type === 'removed') triggers.push({ type: 'removed', kind: event.kind, nftId: event.nftId })
    if (event.type === 'key-update') triggers.push({ type: 'key-update', kind: 'capsule', nftId: event.nftId })
    if (event.type !== 'synced') continue
    const { kind, nftId } = event
    const enclave = confirmingEnclave(events, position)
    if (enclave === undefined) throw unreadable(block, event, 'no confirmation of it is in the same extrinsic')
    const cluster = await clusterOf(enclave, events.slice(0, position), events, registries)
    if (cluster === undefined) throw unreadable(block, event, `the enclave ${enclave} has no seat`)
    triggers.push({ type: 'synced', kind, nftId, cluster })
  }
  return triggers
}

/** Whose confirmation was the last before the event at `position`, or else the first after it. */
function confirmingEnclave(events: readonly RelevantEvent[], position: number): AccountId | undefined {
  const synced = events[position]
  if (synced?.type !== 'synced') return undefined
  const enclaves = (among: readonly RelevantEvent[]) =>
    among.flatMap((event) => {
      if (event.type !== 'confirmed' || event.phase !== synced.phase) return []
      return event.kind === synced.kind && event.nftId === synced.nftId ? [event.enclave] : []
    })
  return enclaves(events.slice(0, position)).at(-1) ?? enclaves(events.slice(position + 1))[0]
}

/**
 * A block that changes the registry itself can have more than two states of it: the cluster is the one that the enclave
 * was in just then.
 */
async function clusterOf(
  enclave: AccountId,
  earlier: readonly RelevantEvent[],
  all: readonly RelevantEvent[],
  { before, after }: RegistriesAround,
): Promise<ClusterId | undefined> {
  const seatAfter = (await after()).seatOf(enclave)
  if (!all.some(({ type }) => type === 'registry')) return seatAfter?.cluster
  const latestFirst = earlier.flatMap((event) => (event.type === 'registry' ? [event.change] : [])).reverse()
  const assigned = (operator: AccountId | undefined) =>
    latestFirst.flatMap((change) =>
      change.type === 'enclave-assigned' && change.operator === operator ? [change.cluster] : [],
    )[0]
  const replaced = latestFirst.flatMap((change) =>
    change.type === 'enclave-updated' && change.account === enclave ? [change.operator] : [],
  )[0]
  const operatorNow = replaced ?? seatAfter?.operator
  if (assigned(operatorNow) !== undefined) return assigned(operatorNow)
  const registryBefore = await before()
  const operator = replaced ?? registryBefore.seatOf(enclave)?.operator
  return assigned(operator) ?? clusterWith(operator, registryBefore) ?? seatAfter?.cluster
}

function clusterWith(operator: AccountId | undefined, registry: Registry): ClusterId | undefined {
  return registry.clusters().find(({ seats }) => seats.some((seat) => seat.operator === operator))?.id
}

function unreadable(block: BlockNumber, { kind, nftId }: { kind: string; nftId: number }, reason: string) {
  return unreadableBlock(
    block,
    kind === 'secret' ? 'NFT.SecretNFTSynced' : 'NFT.CapsuleSynced',
    `NFT ${nftId}: ${reason}`,
  )
}
