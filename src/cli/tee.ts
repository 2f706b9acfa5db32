import { resolve } from 'node:path'
import type { QuoteSource } from '../attestation/index.js'
import type { Settings } from '../config/index.js'
import { fromHex, zero } from '../crypto/index.js'
import { type Hex, SlotmeshError } from '../domain/index.js'
import type { EnclaveNodeConfig } from '../node/index.js'
import type { SealingKeySource } from '../sealing-key/index.js'
import type { resealStore } from '../store/index.js'
import { missing, required } from './settings.js'

/** What simulated enclaves run: nodes of one development mesh must agree on it. */
export const DEVELOPMENT_BUILD = {
  tee: 'sgx',
  mrEnclave: `0x${'de'.repeat(32)}`,
  mrSigner: `0x${'5e'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
} as const

/** Intel's own service, which needs no account for what is asked of it; a PCCS nearby spares it and is quicker. */
const INTEL_PCS = 'https://api.trustedservices.intel.com'

/** A device, or a file on a disk that does not answer, is waited for no longer at the start, ms. */
const DEVICE_TIMEOUT_MS = 60_000

/** What quotes are judged by. */
export type Verification = Omit<EnclaveNodeConfig['attestation'], 'quoteSource'>

/** @throws SlotmeshError `cli/bad-option` when the settings have no policy, which has no sensible default. */
export async function verificationOf(settings: Settings): Promise<Verification> {
  const { policy, collateral } = settings.attestation
  const { url = INTEL_PCS, ...more } = collateral
  const simulated = simulatedOf(settings)
  if (simulated === undefined) {
    if (policy === undefined) throw missing('attestation.policy', '--development-seed to simulate the TEE')
    return { policy, collateral: { url, ...more } }
  }
  const { staticCollateral } = await import('../attestation/index.js')
  const pki = await developmentPki(simulated.seed)
  return {
    rootCertificate: pki.rootCertificate,
    policy: policy ?? { allowedMeasurements: [{ mrEnclave: DEVELOPMENT_BUILD.mrEnclave }] },
    collateral: collateral.url === undefined ? staticCollateral(pki.collateral, pki.tdxCollateral) : { url, ...more },
  }
}

/** @throws QuoteSourceError when the machine has no device that makes quotes. */
export async function quoteSourceOf(settings: Settings): Promise<QuoteSource> {
  const { source } = settings.attestation
  const simulated = simulatedOf(settings)
  if (simulated !== undefined) return (await platformOf(settings, simulated)).quoteSource
  const { hardwareQuoteSource } = await import('../attestation/index.js')
  return hardwareQuoteSource(source, { signal: AbortSignal.timeout(DEVICE_TIMEOUT_MS) })
}

/**
 * @param words that name a source; what the settings say by default, or what suits the place.
 * @returns 32 bytes for the caller to zero.
 */
export async function sealingKeyOf(settings: Settings, words = settings.sealing): Promise<Uint8Array> {
  const simulated = simulatedOf(settings)
  if (words === undefined && simulated !== undefined) return (await platformOf(settings, simulated)).sealingKey()
  const { parseSealingKeySource } = await import('../sealing-key/index.js')
  return keyFrom(settings, words === undefined ? await ownKey(settings) : parseSealingKeySource(words))
}

/**
 * As `sealingKeyOf`, of a key that the folder is to be sealed under anew. A passphrase gets a salt for it, but not while
 * the folder may be under one that is lost.
 *
 * @param present the key that the folder is under, if that has not been done yet.
 */
export async function nextSealingKeyOf(settings: Settings, words: string, present: Uint8Array): Promise<Uint8Array> {
  const { parseSealingKeySource } = await import('../sealing-key/index.js')
  const source = parseSealingKeySource(words)
  try {
    return await keyFrom(settings, source)
  } catch (thrown) {
    if (!(thrown instanceof SlotmeshError) || thrown.code !== 'sealing-key/salt-gone') throw thrown
    const { opensUnder } = await import('../store/index.js')
    if (!(await opensUnder(folderOf(settings), present))) throw thrown
    return keyFrom(settings, source, { isNext: true })
  }
}

async function keyFrom(settings: Settings, source: SealingKeySource, more: { isNext?: boolean } = {}) {
  const { sealingKey } = await import('../sealing-key/index.js')
  const signal = AbortSignal.timeout(DEVICE_TIMEOUT_MS)
  return sealingKey(source, { folder: folderOf(settings), signal, ...more })
}

/**
 * The key to open the folder with. Where the settings name the next one, the folder is sealed under that before, unless
 * it is already. It has to be `join` that does it: under Gramine the command line is measured, and another command
 * would be another enclave, with other keys.
 *
 * @returns 32 bytes for the caller to zero.
 * @throws SlotmeshError as `resealStore` does, but for a folder that is not there.
 */
export async function openingKeyOf(settings: Settings, signal: AbortSignal): Promise<Uint8Array> {
  const { sealing, nextSealing } = settings
  if (nextSealing === undefined || nextSealing === sealing) return sealingKeyOf(settings)
  const from = await sealingKeyOf(settings)
  try {
    const to = await nextSealingKeyOf(settings, nextSealing, from)
    try {
      await resealed({ location: folderOf(settings), from, to, signal })
      return to
    } catch (thrown) {
      zero(to)
      throw thrown
    }
  } finally {
    zero(from)
  }
}

async function resealed(options: Parameters<typeof resealStore>[0]): Promise<void> {
  const store = await import('../store/index.js')
  try {
    await store.resealStore(options)
  } catch (thrown) {
    // A new folder begins under the next key.
    if (!(thrown instanceof SlotmeshError) || thrown.code !== 'store/absent') throw thrown
  }
}

export function folderOf(settings: Settings): string {
  return required(settings.folder, 'folder')
}

/** Only Gramine has a key of the enclave's own; everywhere else it has to be said where one is. */
async function ownKey(settings: Settings): Promise<SealingKeySource> {
  const { kind } = await quoteSourceOf(settings)
  if (kind === 'sgx') return { from: 'gramine', policy: 'mrenclave' }
  throw missing('sealing', '--sealing, for example file:<path>')
}

interface Simulated {
  readonly seed: Hex
  readonly machineId?: string
}

/** The machine that is simulated, if one is. @throws SlotmeshError `cli/bad-option` when it has a name and no seed. */
function simulatedOf({ attestation }: Settings): Simulated | undefined {
  const { seed, machineId } = attestation.simulated
  if (seed !== undefined) return { seed, ...(machineId !== undefined && { machineId }) }
  if (machineId === undefined) return undefined
  const sentence = '--machine-id names a simulated machine: give --development-seed as well.'
  throw new SlotmeshError('cli/bad-option', sentence)
}

async function platformOf(settings: Settings, { seed, machineId }: Simulated) {
  const pki = await developmentPki(seed)
  return pki.platform({ machineId: machineId ?? resolve(folderOf(settings)), measurement: DEVELOPMENT_BUILD })
}

async function developmentPki(seed: Simulated['seed']) {
  const { createDevelopmentPki } = await import('../attestation/development/index.js')
  return createDevelopmentPki({ seed: fromHex(seed) })
}
