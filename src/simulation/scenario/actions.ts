import { z } from 'zod'
import { enclaveName, regionName } from './names.js'
import { bandwidth, duration } from './units.js'

const places = z.array(regionName).min(1).max(64).readonly()

/** What can be done to a running mesh. Each is one thing; `do` in a scenario, or by hand while it runs. */
export const ACTIONS = z.discriminatedUnion('type', [
  /** Ends an enclave as a power cut would. */
  z.strictObject({ type: z.literal('kill'), enclave: enclaveName }),
  /** Ends it as its operator would. */
  z.strictObject({ type: z.literal('stop'), enclave: enclaveName }),
  /** Starts it again from its folder. */
  z.strictObject({ type: z.literal('restart'), enclave: enclaveName }),
  z.strictObject({ type: z.literal('kill-region'), region: regionName }),
  z.strictObject({ type: z.literal('restart-region'), region: regionName }),
  /** Nothing gets from one side to the other, and connections stay half open; until `heal`. */
  z.strictObject({ type: z.literal('partition'), one: places, other: places }),
  z.strictObject({ type: z.literal('heal') }),
  /** Everything that goes to or from it is held up; until it is given `none`. */
  z.strictObject({
    type: z.literal('slow'),
    enclave: enclaveName,
    latency: duration.default(0),
    bandwidth: bandwidth.optional(),
  }),
  /** Drops every connection of an enclave; it may connect again at once. */
  z.strictObject({ type: z.literal('disconnect'), enclave: enclaveName }),
  /** A build that nobody trusts takes a seat of its own in this slot, and asks everyone for everything. */
  z.strictObject({ type: z.literal('impostor'), slot: z.int().min(0).max(4) }),
  /** Somebody whom the chain does not know asks an enclave of every cluster. */
  z.strictObject({ type: z.literal('stranger') }),
  /** Peers whom nobody knows send an enclave of every cluster what no honest one would, for so long. */
  z.strictObject({ type: z.literal('hostile'), lasts: duration }),
  /** The chain's endpoint goes silent for everybody in the region, with its connections open. */
  z.strictObject({ type: z.literal('chain-outage'), region: regionName.default('*'), lasts: duration }),
  /** The runtime is replaced by one in which pallets and events have other indices. */
  z.strictObject({ type: z.literal('runtime-upgrade') }),
  /** A new cluster of five enclaves registers and takes its seats. */
  z.strictObject({ type: z.literal('add-cluster'), access: z.enum(['public', 'private']).default('public') }),
  z.strictObject({ type: z.literal('set-access'), cluster: z.int().min(0), access: z.enum(['public', 'private']) }),
  /** Two enclaves of one cluster change slots: each must erase what it holds and fetch what its new slot has. */
  z.strictObject({
    type: z.literal('swap-slots'),
    cluster: z.int().min(0),
    slots: z.tuple([z.int().min(0).max(4), z.int().min(0).max(4)]).readonly(),
  }),
  /** An enclave leaves its seat for good. */
  z.strictObject({ type: z.literal('unassign'), enclave: enclaveName }),
  /** Owners mint so many NFTs and hand their shares over, to the first so many clusters where `clusters` says so. */
  z.strictObject({
    type: z.literal('mint'),
    secrets: z.int().min(0).max(100_000).default(0),
    capsules: z.int().min(0).max(100_000).default(0),
    without: z.int().min(0).optional(),
    clusters: z.int().min(1).optional(),
    /** What comes next does not wait for it; the next time that all is settled does. */
    meanwhile: z.boolean().optional(),
  }),
  /** An owner makes a capsule of a secret NFT, too, and hands its shares to another cluster. */
  z.strictObject({ type: z.literal('convert-to-hybrid') }),
  /** Owners burn so many of their NFTs. */
  z.strictObject({ type: z.literal('burn'), nfts: z.int().min(1).max(100_000) }),
  /** Looks whether everybody holds what the chain lists; the run ends where somebody does not. */
  z.strictObject({ type: z.literal('verify') }),
])

/**
 * One thing that can be done to a running mesh; docs/simulation.md lists them.
 * @useDeclaredType
 */
export type Action = z.infer<typeof ACTIONS>
