import { isAbsolute } from 'node:path'
import { z } from 'zod'
import type { EnclaveNode } from '../node/index.js'
import type { RecentErrors } from './recent-errors.js'
import type { Ask } from './server.js'

const account = z.string()
const time = z.number()

const ErrorSchema = z.object({ at: time, code: z.string(), peer: z.string().optional() })

const PeerSchema = z.object({
  account,
  operator: account,
  cluster: z.number(),
  slot: z.number(),
  apiUri: z.string(),
  peerId: z.string().optional(),
  isConnected: z.boolean(),
  isShut: z.boolean(),
  attestedAt: time.optional(),
  lastExchange: z
    .object({
      role: z.enum(['requester', 'provider']),
      code: z.string().optional(),
      shares: z.number(),
      bytes: z.number(),
      at: time,
    })
    .optional(),
})

/** What `status` answers, as far as it is shown; the node says more, which stays as it is. */
export const StatusSchema = z.looseObject({
  version: z.string(),
  startedAt: time,
  account,
  peerId: z.string(),
  multiaddrs: z.array(z.string()),
  state: z.enum(['unregistered', 'setup', 'running', 'stopped']),
  seat: z.object({ cluster: z.number(), slot: z.number() }).optional(),
  finalisedBlock: z.number(),
  syncedBlock: z.number(),
  chain: z.looseObject({ state: z.string(), endpoint: z.string() }).optional(),
  crawl: z.looseObject({ at: z.number(), to: z.number(), msLeft: z.number() }).optional(),
  shares: z.object({ secret: z.number(), capsule: z.number() }),
  wantsOpen: z.number(),
  problems: z.array(z.object({ code: z.string(), sentence: z.string() })),
  peers: z.array(PeerSchema),
  errors: z.array(ErrorSchema),
})

export type ControlStatus = z.infer<typeof StatusSchema>
export type ControlPeer = z.infer<typeof PeerSchema>

/** Who sits where, as `registry` answers. */
export const RegistrySchema = z.array(
  z.object({
    id: z.number(),
    type: z.enum(['disabled', 'admin', 'public', 'private']),
    seats: z.array(z.object({ account, operator: account, cluster: z.number(), slot: z.number(), apiUri: z.string() })),
  }),
)

export type ControlRegistry = z.infer<typeof RegistrySchema>

/** What `attest` answers: what a slot peer has shown of itself. */
export const ProofSchema = z.object({
  account,
  peerId: z.string(),
  /** In base64. */
  quote: z.base64(),
  failure: z.object({ code: z.string(), reason: z.string() }).optional(),
  /** The latest final block, as of which it was judged. */
  block: z.number(),
})

/** An exchange, of which each step has its own limit, ms. */
export const PROOF_TIMEOUT_MS = 60_000

/** `who`: an enclave account or a multiaddr. */
const AttestSchema = z.looseObject({ who: z.string().min(1).max(1_024) })

/** A store of some gigabytes on a slow disk, ms. */
export const BACKUP_TIMEOUT_MS = 600_000

/** `to`: a folder, from the root, since a node has its own idea of where it is. */
const BackupSchema = z.looseObject({ to: z.string().min(1).max(4_096).refine(isAbsolute) })

/** What a running node can be asked. */
export function nodeAsks(
  node: Pick<EnclaveNode, 'status' | 'peers' | 'registry' | 'backUp' | 'proofOf'>,
  {
    errors,
    version,
    startedAt,
  }: { readonly errors: RecentErrors; readonly version: string; readonly startedAt: number },
): Map<string, Ask> {
  const status = async () => ({
    version,
    startedAt,
    ...(await node.status()),
    peers: node.peers(),
    errors: errors.list(),
  })
  const backUp = async (request: unknown, options: { readonly signal: AbortSignal }) => {
    const { to } = BackupSchema.parse(request)
    await node.backUp(to, options)
    return {}
  }
  const attest = async (request: unknown, options: { readonly signal: AbortSignal }) => {
    const { quote, ...proof } = await node.proofOf(AttestSchema.parse(request).who, options)
    return { ...proof, quote: Buffer.from(quote).toString('base64'), block: (await node.status()).finalisedBlock }
  }
  return new Map<string, Ask>([
    ['status', { answer: status }],
    ['attest', { answer: attest, timeoutMs: PROOF_TIMEOUT_MS }],
    ['backup', { answer: backUp, timeoutMs: BACKUP_TIMEOUT_MS }],
    ['registry', { answer: async () => node.registry()?.clusters() ?? [] }],
  ])
}
