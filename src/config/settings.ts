import { z } from 'zod'
import { PolicySchema } from './policy-schema.js'
import { hex, url } from './values.js'

const multiaddrs = z
  .array(z.string().startsWith('/', 'takes a multiaddr such as /ip4/0.0.0.0/tcp/4001'))
  .max(64)
  .readonly()
const milliseconds = z.int().min(1).max(86_400_000)
/** No sooner than a peer answers again, nor later than a timer can be set for. */
const comparisonMs = z.int().min(60_000).max(1_600_000_000)
const sealingSource = z.string().min(1).max(4_096)

/** What the file of a node may say; every part can be left out, for a flag to say it. */
export const SettingsSchema = z.strictObject({
  /** Of the sealed store; where it is relative, from the file's own folder. */
  folder: z.string().min(1).optional(),
  chain: z
    .strictObject({
      endpoints: z.array(url('ws', 'wss')).min(1).max(64).readonly().optional(),
      genesisHash: hex(32).optional(),
      quietAfterMs: milliseconds.optional(),
      connectTimeoutMs: milliseconds.optional(),
    })
    .optional(),
  mesh: z
    .strictObject({
      listen: multiaddrs.optional(),
      announce: multiaddrs.optional(),
      bootstrap: multiaddrs.optional(),
      allowPrivateAddresses: z.boolean().optional(),
      shutOutOffenders: z.boolean().optional(),
    })
    .optional(),
  share: z.strictObject({ postQuantumOnly: z.boolean().optional() }).optional(),
  /** How often what is held is compared, with a slot peer and with the chain's list. */
  reconciliation: z
    .strictObject({ everyMs: comparisonMs.optional(), chainEveryMs: comparisonMs.optional() })
    .optional(),
  attestation: z
    .strictObject({
      /** Where quotes come from; `auto` takes what the machine has. */
      source: z.enum(['auto', 'gramine', 'configfs-tsm']).optional(),
      /** Simulates the machine instead. Whoever knows the seed can pretend to be any enclave. */
      simulated: z.strictObject({ seed: hex(32), machineId: z.string().min(1).max(256).optional() }).optional(),
      /** Where collateral is fetched. */
      collateral: z
        .strictObject({
          url: url('http', 'https'),
          rootCrlUrl: url('http', 'https').optional(),
        })
        .optional(),
      policy: PolicySchema.optional(),
    })
    .optional(),
  /** Where the sealing key comes from, for example `gramine:mrenclave` or `file:/run/secrets/sealing-key`. */
  sealing: sealingSource.optional(),
  /** The key that the folder is to be under from the next start on, in the same words: `join` seals it anew. */
  nextSealing: sealingSource.optional(),
})

/** What a configuration file says. */
export type Settings = z.infer<typeof SettingsSchema>
