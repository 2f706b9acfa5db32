import { createHash } from 'node:crypto'
import { type AccountSigner, accountSigner, fromSs58, toSs58, zero } from '../../crypto/index.js'
import {
  type AccountId,
  CLUSTER_SIZE,
  type Cluster,
  type ClusterId,
  pause,
  type SlotId,
  SlotmeshError,
} from '../../domain/index.js'
import { enclaveAt } from '../../owner/index.js'
import type { Actors, Candidate } from '../../simulation/index.js'
import { acting } from './acting.js'
import type { SeatFlags } from './flags.js'

/** An enclave that wants a seat, and the URL that it is registered with. */
interface Applicant {
  readonly account: AccountId
  readonly apiUri: string
}

/** Of an enclave that serves no clients. */
const NO_API = 'https://not-served.invalid'

/** Between two looks at an API that does not answer yet, ms. */
const PAUSE_MS = 500

export async function seat(enclaves: readonly string[], flags: SeatFlags): Promise<void> {
  await acting(flags, async (actors, signal) => {
    const applicants = await Promise.all(enclaves.map((each) => applicantOf(each, signal)))
    const seated = new Set((await actors.clusters()).flatMap(({ seats }) => seats.map(({ account }) => account)))
    const without = applicants.filter(({ account }) => !seated.has(account))
    if (without.length > 0) await assign(actors, without, flags.cluster)
    const clusters = await actors.clusters()
    for (const { account } of applicants) process.stdout.write(`${lineOf(clusters, account)}\n`)
  })
}

async function assign(actors: Actors, applicants: readonly Applicant[], id: ClusterId | undefined): Promise<void> {
  const { cluster, slots } = await placeFor(actors, applicants.length, id)
  const candidates = applicants.map(({ account, apiUri }, at): Candidate => {
    const slot = slots[at] ?? 0
    return { account, apiUri, operator: operatorOf(account), cluster, slot }
  })
  await actors.fund(candidates.map(({ operator }) => operator.account))
  await actors.seat(candidates)
}

/** @throws SlotmeshError `cli/no-cluster` */
async function placeFor(
  actors: Actors,
  count: number,
  id: ClusterId | undefined,
): Promise<{ readonly cluster: ClusterId; readonly slots: readonly SlotId[] }> {
  const room = (await actors.clusters()).map(({ id: cluster, seats }) => ({
    cluster,
    slots: freeSlots(seats.map(({ slot }) => slot)),
  }))
  const found = room.find(({ cluster, slots }) => (id === undefined || cluster === id) && slots.length >= count)
  if (found !== undefined) return found
  if (id === undefined && count <= CLUSTER_SIZE) {
    return { cluster: await actors.createCluster(), slots: freeSlots([]) }
  }
  const sentence = `There is no room for ${count} enclaves in ${id === undefined ? 'any one cluster' : `cluster ${id}`}, which has ${CLUSTER_SIZE} slots; npx slotmesh registry shows who has them.`
  throw new SlotmeshError('cli/no-cluster', sentence)
}

function freeSlots(taken: readonly SlotId[]): SlotId[] {
  return Array.from({ length: CLUSTER_SIZE }, (_, slot) => slot).filter((slot) => !taken.includes(slot))
}

/** Each enclave has an operator of its own, who is the same each time. */
function operatorOf(enclave: AccountId): AccountSigner {
  const seed = new Uint8Array(createHash('sha256').update(`slotmesh development operator of ${enclave}`).digest())
  try {
    return accountSigner(seed)
  } finally {
    zero(seed)
  }
}

/** @throws SlotmeshError `cli/bad-option`; the signal's reason when an API does not answer in time. */
async function applicantOf(text: string, signal: AbortSignal): Promise<Applicant> {
  if (/^https?:\/\//i.test(text)) return { account: await whoIsAt(text, signal), apiUri: text }
  if (/^0x[0-9a-f]{64}$/.test(text)) return { account: text as AccountId, apiUri: NO_API }
  try {
    return { account: fromSs58(text), apiUri: NO_API }
  } catch (cause) {
    const sentence = `"${text}" is neither the URL of an enclave’s API nor an account; slotmesh init prints the account.`
    throw new SlotmeshError('cli/bad-option', sentence, { cause })
  }
}

/** Waits for an enclave that starts still. */
async function whoIsAt(apiUri: string, signal: AbortSignal): Promise<AccountId> {
  let isTold = false
  for (;;) {
    try {
      return await enclaveAt(apiUri, { signal })
    } catch (thrown) {
      signal.throwIfAborted()
      if (!(thrown instanceof SlotmeshError) || thrown.code !== 'owner/enclave-unreachable') throw thrown
      if (!isTold) process.stderr.write(`Waits for an enclave to answer at ${apiUri}\n`)
      isTold = true
      await pause(PAUSE_MS, { signal })
    }
  }
}

function lineOf(clusters: readonly Cluster[], account: AccountId): string {
  for (const { id, seats } of clusters) {
    const own = seats.find((each) => each.account === account)
    if (own !== undefined) return `cluster ${id}, slot ${own.slot}  ${toSs58(account)}  ${own.apiUri}`
  }
  return `no seat  ${toSs58(account)}`
}
