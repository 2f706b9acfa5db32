import { API } from './api.js'
import { ATTESTATION } from './attestation.js'
import { CHAIN } from './chain.js'
import { LOG } from './log.js'
import { MESH } from './mesh.js'
import type { FileOf, Section, SettingsOf } from './setting.js'
import { METRICS, STATUS } from './views.js'

/** No sooner than a peer answers again, nor later than a timer can be set for. */
const comparisonMs = { is: 'whole', minimum: 60_000, maximum: 1_600_000_000 } as const

/** Every setting of a node. Flags, variables, the file, its schema and what is said of them are made from it. */
export const TABLE = {
  folder: {
    kind: { is: 'path' },
    flag: '--folder <path>',
    otherwise: 'has to be said',
    example: 'store',
    about: 'the sealed store, made when absent; in a file relative to that file',
  },
  chain: CHAIN,
  mesh: MESH,
  share: {
    postQuantumOnly: {
      kind: { is: 'yes-or-no' },
      flag: '--post-quantum-only',
      fallback: false,
      example: false,
      about: 'whether shares are exchanged in X-Wing alone, and peers that cannot are refused',
    },
  },
  reconciliation: {
    everyMs: {
      kind: comparisonMs,
      flag: '--reconcile-every <ms>',
      fallback: 3_600_000,
      example: 3_600_000,
      about: 'how often, in milliseconds, what is held is compared with what a slot peer holds, another one each time',
    },
    chainEveryMs: {
      kind: comparisonMs,
      flag: '--reconcile-chain-every <ms>',
      fallback: 86_400_000,
      example: 86_400_000,
      about: 'how often, in milliseconds, what is held is compared with all that the chain lists',
    },
  },
  attestation: ATTESTATION,
  api: API,
  sealing: {
    kind: { is: 'sealing-source' },
    flag: '--sealing <source>',
    otherwise: 'gramine:mrenclave in SGX; elsewhere it has to be said',
    example: 'gramine:mrenclave',
    about:
      'where the sealing key comes from: gramine:mrenclave, gramine:mrsigner, file:<path> or passphrase:<path>; in a file relative to that file',
  },
  nextSealing: {
    kind: { is: 'sealing-source' },
    flag: '--next-sealing <source>',
    otherwise: 'no other key',
    example: 'gramine:mrsigner',
    about: 'the key that the folder is to be under from the next start on, in the same words',
  },
  log: LOG,
  status: STATUS,
  metrics: METRICS,
} as const satisfies Section

/** What a node is to do, from all that says it. */
export type Settings = SettingsOf<typeof TABLE>

/** What a file says. */
export type FileSettings = FileOf<typeof TABLE>
