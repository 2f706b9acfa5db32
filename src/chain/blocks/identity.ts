import type { AccountId, BlockRef, BlockTriggers, EnclaveSeat, Registry } from '../../domain/index.js'

/** What became of an enclave account by the end of a block; `before` is the seat that it had until then. */
export type SeatChange = { readonly block: BlockRef } & (
  | { readonly type: 'unregistered'; readonly before: EnclaveSeat | undefined }
  | { readonly type: 'assigned'; readonly seat: EnclaveSeat }
  | { readonly type: 'slot-changed'; readonly seat: EnclaveSeat; readonly before: EnclaveSeat }
  /** The slot may be another, too. */
  | { readonly type: 'cluster-changed'; readonly seat: EnclaveSeat; readonly before: EnclaveSeat }
  /** Its operator has put another enclave account in its place. */
  | { readonly type: 'account-replaced'; readonly by: AccountId; readonly before: EnclaveSeat }
)

/**
 * How an enclave account stands at `after`, then each change to that, in the order of blocks.
 * @param registryAt as of the end of a block
 */
export async function* seatChanges(
  account: AccountId,
  after: BlockRef,
  blocks: AsyncIterable<BlockTriggers>,
  registryAt: (block: BlockRef) => Promise<Registry>,
): AsyncGenerator<SeatChange> {
  let seat = (await registryAt(after)).seatOf(account)
  yield seat === undefined
    ? { type: 'unregistered', block: after, before: undefined }
    : { type: 'assigned', block: after, seat }
  for await (const { block, registryChanges } of blocks) {
    if (registryChanges.length === 0) continue
    const registry = await registryAt(block)
    const change = changeOf(seat, registry.seatOf(account), registry)
    seat = registry.seatOf(account)
    if (change !== undefined) yield { ...change, block }
  }
}

type Change = SeatChange extends infer Each ? (Each extends SeatChange ? Omit<Each, 'block'> : never) : never

function changeOf(
  before: EnclaveSeat | undefined,
  seat: EnclaveSeat | undefined,
  registry: Registry,
): Change | undefined {
  if (before === undefined) return seat && { type: 'assigned', seat }
  if (seat === undefined) {
    const seats = registry.clusters().flatMap((cluster) => cluster.seats)
    const by = seats.find(({ operator }) => operator === before.operator)?.account
    return by === undefined ? { type: 'unregistered', before } : { type: 'account-replaced', by, before }
  }
  if (seat.cluster !== before.cluster) return { type: 'cluster-changed', seat, before }
  return seat.slot === before.slot ? undefined : { type: 'slot-changed', seat, before }
}
