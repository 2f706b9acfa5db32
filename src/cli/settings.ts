import type { Settings } from '../config/index.js'
import { type Hex, SlotmeshError } from '../domain/index.js'

/** The flags of commands that are about one enclave; each wins over what the file says. */
export interface EnclaveFlags {
  readonly config?: string
  readonly folder?: string
  readonly chain?: readonly string[]
  readonly listen?: readonly string[]
  readonly announce?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly allowPrivateAddresses?: boolean
  readonly postQuantumOnly?: boolean
  readonly sealing?: string
  readonly developmentSeed?: Hex
  readonly machineId?: string
}

/** What the file says, if there is one, and the flags over it. */
export async function settingsOf(flags: EnclaveFlags): Promise<Settings> {
  const { readSettings } = await import('../config/index.js')
  const file = flags.config === undefined ? {} : await readSettings(flags.config)
  const { folder, chain, listen, announce, bootstrap, allowPrivateAddresses, postQuantumOnly, sealing } = flags
  return {
    ...file,
    ...given({ folder, sealing }),
    chain: { ...file.chain, ...given({ endpoints: chain }) },
    mesh: { ...file.mesh, ...given({ listen, announce, bootstrap, allowPrivateAddresses }) },
    share: { ...file.share, ...given({ postQuantumOnly }) },
    attestation: { ...file.attestation, ...simulatedMachine(flags, file) },
  }
}

function simulatedMachine({ developmentSeed, machineId }: EnclaveFlags, file: Settings): Settings['attestation'] {
  const seed = developmentSeed ?? file.attestation?.simulated?.seed
  if (developmentSeed === undefined && machineId === undefined) return {}
  if (seed === undefined)
    throw new SlotmeshError(
      'cli/bad-option',
      '--machine-id names a simulated machine: give --development-seed as well.',
    )
  return { simulated: { ...file.attestation?.simulated, seed, ...given({ machineId }) } }
}

/** Flags that were left out say nothing; commander gives them as undefined. */
function given<T extends object>(flags: T): { [Name in keyof T]: NonNullable<T[Name]> } | object {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
}

/**
 * @param flag that would have said it.
 * @throws SlotmeshError `cli/bad-option` when neither the flags nor the file say it.
 */
export function required<T>(value: T | undefined, flag: string, setting: string): T {
  if (value !== undefined) return value
  throw missing(flag, setting)
}

export function missing(flag: string, setting: string): SlotmeshError {
  return new SlotmeshError('cli/bad-option', `Give ${flag}, or ${setting} in the file that --config names.`)
}
