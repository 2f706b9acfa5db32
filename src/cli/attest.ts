import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { Settings } from '../config/index.js'
import { fromHex, fromSs58 } from '../crypto/index.js'
import { bounded, type Hex, messageOf, SlotmeshError } from '../domain/index.js'
import { wholeNumber } from './arguments.js'
import { untilInterrupted } from './interruption.js'
import { describeJudgement, describeMeasurement, judgeQuote } from './judgement.js'
import { describePolicy } from './policy-text.js'
import { addSettings, type SettingFlags, settingsOf } from './settings.js'
import { folderOf, quoteSourceOf, verificationOf } from './tee.js'

type AttestFlags = SettingFlags

/** Making a quote, or fetching collateral, takes no longer, ms. */
const TIMEOUT_MS = 30_000

/** Bytes; the longest quote in hexadecimal has half as many. */
const MAXIMUM_FILE = 65_536

export function addAttest(program: Command): void {
  const attest = program
    .command('attest')
    .description('Show the attestation policy, make a quote, or see what the policy says of one.')
    .helpCommand(false)
  withEnclave(attest.command('policy')).description('Show which enclaves are trusted, in words.').action(showPolicy)
  withEnclave(attest.command('quote'))
    .description('Make a quote about this enclave.')
    .option('--report-data <hex>', '64 bytes to put in (default: zeros)', reportData)
    .requiredOption('--out <file>', 'where to write it, as bytes')
    .action(makeQuote)
  addSettings(attest.command('verify [file]'), [
    'folder',
    'attestation.simulated.seed',
    'attestation.simulated.machineId',
  ])
    .description('Verify a quote (bytes, hexadecimal or base64), or that of a peer, and judge it by the policy.')
    .option('--peer <who>', 'have the running node ask this enclave for one: its account, or a multiaddr')
    .option('--block <number>', 'judge as of this block (default: rules that end have ended)', wholeNumber())
    .option('--at <time>', 'judge as of this time, for example 2026-11-23T12:00:00Z (default: now)', time)
    .addHelpText(
      'after',
      `
Only enclaves of one slot in different clusters show each other quotes; so the node whose --config or --folder is given
asks, in an exchange in which no share is moved.

Examples:
  slotmesh attest verify quote.bin --config node-a/slotmesh.yaml
  slotmesh attest verify --peer /dns4/enclave.example/tcp/4001 --config node-a/slotmesh.yaml`,
    )
    .action(verifyQuote)
}

function withEnclave(command: Command): Command {
  return addSettings(command, ['attestation.simulated.seed', 'attestation.simulated.machineId'])
}

async function showPolicy(flags: AttestFlags): Promise<void> {
  const { trustsSimulatedQuotes } = await import('../attestation/index.js')
  const { policy, rootCertificate } = await verificationOf(await settingsOf(flags))
  print(...describePolicy(policy, { isSimulated: trustsSimulatedQuotes(rootCertificate) }))
}

async function makeQuote(flags: AttestFlags & { reportData?: Uint8Array; out: string }): Promise<void> {
  const source = await quoteSourceOf(await simulatedAnywhere(flags))
  const { reportData = new Uint8Array(64), out } = flags
  const quote = await limited((signal) => source.quote(reportData, { signal }))
  try {
    await writeFile(out, quote)
  } catch (cause) {
    throw badFile(`The quote cannot be written to ${out} (${messageOf(cause)}); give --out a file that can be.`, cause)
  }
  print(`A ${source.kind} quote of ${quote.length} bytes is in ${out}.`)
}

interface VerifyFlags extends AttestFlags {
  readonly peer?: string
  readonly block?: number
  readonly at?: Date
}

async function verifyQuote(file: string | undefined, flags: VerifyFlags): Promise<void> {
  const { peer, at, block } = flags
  if ((file === undefined) === (peer === undefined)) {
    throw badFile('Give a file with a quote, or the peer to ask for one by --peer.')
  }
  const settings = await settingsOf(flags)
  if (peer !== undefined) return verifyPeer(peer, settings, { at, block })
  if (file !== undefined) await judge(quoteOf(file, await contentOf(file)), settings, { at, block })
}

async function verifyPeer(
  peer: string,
  settings: Settings,
  { at, block }: { readonly at: Date | undefined; readonly block: number | undefined },
): Promise<void> {
  const { askNode, PROOF_TIMEOUT_MS, ProofSchema } = await import('../control/index.js')
  const request = { ask: 'attest', who: accountOf(peer) }
  const proof = await untilInterrupted((signal) =>
    bounded({ signals: [signal], timeoutMs: PROOF_TIMEOUT_MS }, (limit) =>
      askNode(folderOf(settings), request, { schema: ProofSchema, signal: limit }),
    ),
  )
  const { failure } = proof
  print(`enclave      ${proof.account}`, `peer         ${proof.peerId}`)
  print(
    `the node     ${failure === undefined ? 'would exchange shares with it' : `${failure.code}: ${failure.reason}`}`,
  )
  await judge(Buffer.from(proof.quote, 'base64'), settings, { at, block: block ?? proof.block })
  // A quote says nothing of who shows it: that it is this enclave's own is for the exchange to prove.
  if (failure !== undefined) throw notProved(proof.account, failure)
}

function notProved(
  account: string,
  { code, reason }: { readonly code: string; readonly reason: string },
): SlotmeshError {
  return new SlotmeshError(
    'cli/not-proved',
    `The enclave ${account} has not proved itself (${code}: ${reason}): what is said of the quote above holds for whichever enclave it is of.`,
  )
}

async function judge(
  quote: Uint8Array,
  settings: Settings,
  as: { readonly at: Date | undefined; readonly block: number | undefined },
): Promise<void> {
  const { inspectQuote } = await import('../attestation/index.js')
  const verification = await verificationOf(settings)
  const claims = inspectQuote(quote)
  print(...describeMeasurement(claims.measurement), `report data  ${Buffer.from(claims.reportData).toString('hex')}`)
  const found = await limited((signal) => judgeQuote(verification, quote, { ...as, signal }))
  print(...describeJudgement(found))
}

/** As the protocols have it; what is no account in SS58 is for the node to make sense of. */
function accountOf(text: string): string {
  try {
    return text.startsWith('/') || text.startsWith('0x') ? text : fromSs58(text)
  } catch (cause) {
    const sentence =
      '--peer takes an enclave account (0x…, or SS58) or a multiaddr such as /ip4/192.0.2.1/tcp/4001; correct it.'
    throw badFile(sentence, cause)
  }
}

/** A simulated machine is named after its folder, which does not matter here. */
async function simulatedAnywhere(flags: AttestFlags): Promise<Settings> {
  const settings = await settingsOf(flags)
  return { folder: '.', ...settings }
}

function limited<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return untilInterrupted((signal) => bounded({ signals: [signal], timeoutMs: TIMEOUT_MS }, work))
}

async function contentOf(file: string): Promise<Buffer> {
  const parts: Buffer[] = []
  try {
    // One byte more than may be, to see that there is more.
    for await (const part of createReadStream(file, { end: MAXIMUM_FILE })) parts.push(part)
  } catch (cause) {
    throw badFile(`The file ${file} cannot be read (${messageOf(cause)}); give one with a quote.`, cause)
  }
  const content = Buffer.concat(parts)
  if (content.length <= MAXIMUM_FILE) return content
  throw badFile(`The file ${file} has more than ${MAXIMUM_FILE} bytes; give one with a quote.`)
}

function badFile(sentence: string, cause?: unknown): SlotmeshError {
  return new SlotmeshError('cli/bad-option', sentence, { cause })
}

/** Quotes begin with their version in two bytes; what begins with digits is text. */
function quoteOf(file: string, content: Buffer): Uint8Array {
  const text = content.toString('latin1').replace(/\s+/g, '')
  if (/^(?:0x)?(?:[0-9a-fA-F]{2})+$/.test(text)) return Buffer.from(text.replace(/^0x/, ''), 'hex')
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return Buffer.from(text, 'base64')
  if (content.length === 0) throw badFile(`The file ${file} is empty; give one with a quote.`)
  return content
}

function reportData(text: string): Uint8Array {
  const digits = text.replace(/^0x/, '')
  if (/^[0-9a-fA-F]{128}$/.test(digits)) return fromHex(`0x${digits}` satisfies Hex)
  throw new InvalidArgumentError('Report data is 128 hexadecimal digits.')
}

function time(text: string): Date {
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) throw new InvalidArgumentError('A time looks like 2026-11-23T12:00:00Z.')
  return at
}

function print(...lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}
