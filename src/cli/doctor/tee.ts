import { stat } from 'node:fs/promises'
import type { Settings } from '../../config/index.js'
import { zero } from '../../crypto/index.js'
import { bounded, messageOf } from '../../domain/index.js'
import { judgeQuote } from '../judgement.js'
import { quoteSourceOf, sealingKeyOf, verificationOf } from '../tee.js'
import { type Finding, fails, warns, well } from './finding.js'

const TIMEOUT_MS = 60_000

/** Whether this machine makes quotes, and whether others with the same policy would believe them. */
export async function lookAtTee(
  settings: Settings,
  { block, signal }: { readonly block: number | undefined; readonly signal: AbortSignal },
): Promise<Finding[]> {
  const limited = <T>(work: (signal: AbortSignal) => Promise<T>) =>
    bounded({ signals: [signal], timeoutMs: TIMEOUT_MS }, work)
  let quote: Uint8Array
  const findings: Finding[] = []
  try {
    const source = await quoteSourceOf(settings)
    quote = await limited((limit) => source.quote(new Uint8Array(64), { signal: limit }))
    const seen = `${source.kind} quotes are made, of ${quote.length} bytes`
    findings.push(
      source.kind === 'simulated'
        ? warns('TEE', seen, 'They prove nothing: leave attestation.simulated out on a machine with SGX or TDX.')
        : well('TEE', seen),
    )
  } catch (thrown) {
    signal.throwIfAborted()
    const mend =
      'Run it in an enclave whose device is there (packaging/gramine, docs/tdx.md), and look at AESM or the quote generation service.'
    return [fails('TEE', messageOf(thrown), mend)]
  }
  try {
    const verification = await verificationOf(settings)
    const found = await limited((limit) => judgeQuote(verification, quote, { block, signal: limit }))
    findings.push(
      well('collateral', `there is some for this machine, which is ${found.tcbStatus}, and the policy admits it`),
    )
  } catch (thrown) {
    signal.throwIfAborted()
    findings.push(fails('collateral', messageOf(thrown), mendOfJudgement(thrown)))
  }
  return findings
}

function mendOfJudgement(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  if (code === 'cli/bad-option') return 'Say by attestation.policy which enclaves are trusted.'
  if (code.includes('collateral'))
    return 'Look at the PCCS that attestation.collateral.url names, and at the network to it.'
  return 'Bring the machine up to date, or have the policy admit it: slotmesh attest policy shows what it says.'
}

/** Whether the key is there that the store opens with. @param isRunning the store is open, so that it cannot be tried. */
export async function lookAtSealing(settings: Settings, folder: string, isRunning: boolean): Promise<Finding> {
  const mend = 'Correct sealing, or put the key back where it says; slotmesh reseal changes it.'
  try {
    const key = await sealingKeyOf(settings)
    try {
      if (isRunning) return well('sealing', 'the key is there; the node has the store open with its own')
      if (!(await isThere(folder))) return well('sealing', 'the key is there; the store is not made yet')
      const { opensUnder } = await import('../../store/index.js')
      if (await opensUnder(folder, key)) return well('sealing', 'the store opens with the key')
      return fails('sealing', 'the store is sealed under another key', mend)
    } finally {
      zero(key)
    }
  } catch (thrown) {
    return fails('sealing', messageOf(thrown), mend)
  }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await stat(folder)
    return true
  } catch {
    return false
  }
}
