import { once } from 'node:events'
import type { Command } from 'commander'
import type { Settings } from '../config/index.js'
import { toSs58, zero } from '../crypto/index.js'
import { SlotmeshError, shareKeyText } from '../domain/index.js'
import type { EnclaveNode, NodeEvent } from '../node/index.js'
import { untilInterrupted } from './interruption.js'
import { lineLogger } from './line-logger.js'
import { addSettings, required, type SettingFlags, settingsOf } from './settings.js'
import { folderOf, openingKeyOf, quoteSourceOf, verificationOf } from './tee.js'

interface JoinFlags extends SettingFlags {
  readonly verbose?: boolean
}

export function addJoin(program: Command): void {
  addSettings(program.command('join'))
    .description('Run one enclave in the foreground: it joins the mesh and keeps its shares in step with the chain.')
    .option('--verbose', 'log debug lines, too')
    .action(async (flags: JoinFlags) => {
      const settings = await settingsOf(flags)
      await untilInterrupted((signal) => run(settings, flags.verbose === true, signal))
    })
}

async function run(settings: Settings, isVerbose: boolean, signal: AbortSignal): Promise<void> {
  const endpoints = required(settings.chain.endpoints, 'chain.endpoints')
  const node = await createNode(settings, endpoints, { isVerbose, signal })
  const unsubscribe = node.subscribe((event) => {
    const line = describe(event)
    if (line !== undefined) print(line)
  })
  try {
    print(`account  ${toSs58(node.account)}  ${node.account}`, `peer     ${node.peerId}`)
    // A start cannot be cut short, and a chain may be waited for longer than a supervisor waits for the end.
    await Promise.race([start(node, endpoints), aborted(signal)])
    if (signal.aborted) return
    for (const address of (await node.status()).multiaddrs) print(`listens  ${address}`)
    await Promise.race([aborted(signal), aborted(node.failed)])
    // Whatever starts the node again has it read what the disk has kept.
    if (!signal.aborted) node.failed.throwIfAborted()
  } finally {
    await node.stop()
    unsubscribe()
  }
}

/** What answers but does not speak as a chain does. */
const NO_CHAIN = ['chain/request-refused', 'chain/malformed-answer']

async function start(node: EnclaveNode, chain: readonly string[]): Promise<void> {
  try {
    await node.start()
  } catch (cause) {
    if (!(cause instanceof SlotmeshError) || !NO_CHAIN.includes(cause.code)) throw cause
    const sentence = `What answers at ${chain.join(' or ')} is no chain with the NFT and TEE pallets: correct the address.`
    throw new SlotmeshError('cli/no-chain', sentence, { cause })
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

async function createNode(
  settings: Settings,
  endpoints: readonly string[],
  { isVerbose, signal }: { readonly isVerbose: boolean; readonly signal: AbortSignal },
): Promise<EnclaveNode> {
  // Loaded only when they are needed, so that the help comes at once.
  const [{ createEnclaveNode }, { SUITE_X_WING }] = await Promise.all([
    import('../node/index.js'),
    import('../share/index.js'),
  ])
  const folder = folderOf(settings)
  const verification = await verificationOf(settings)
  const quoteSource = await quoteSourceOf(settings)
  const sealingKey = await openingKeyOf(settings, signal)
  try {
    return await createEnclaveNode({
      folder,
      chain: { ...settings.chain, endpoints },
      mesh: settings.mesh,
      attestation: { ...verification, quoteSource },
      reconciliation: settings.reconciliation,
      ...(settings.share.postQuantumOnly && { share: { suites: [SUITE_X_WING] } }),
      sealingKey,
      logger: lineLogger(process.stderr, isVerbose ? 'debug' : 'info'),
    })
  } finally {
    zero(sealingKey)
  }
}

/** Undefined for what is of use in sums only. */
function describe(event: NodeEvent): string | undefined {
  switch (event.type) {
    case 'state':
      return `state    ${event.state}`
    case 'seat':
      return `seat     ${describeSeat(event.change)}`
    case 'problems':
      return event.problems.length === 0 ? 'well     no problems any more' : `problem  ${sentences(event.problems)}`
    case 'share-stored':
      return `share    ${shareKeyText(event.key)} of cluster ${event.origin}, after ${event.at - event.triggeredAt} ms`
    case 'refusal-sent':
      return `refused  a peer: ${event.code}`
    case 'refusal-received':
      return `refused  by ${event.from}: ${event.code}`
    case 'exchange-done':
      return `fetched  ${event.shares} shares from ${event.peer}, in ${event.ms} ms`
    case 'exchange-served':
      return `served   ${event.shares} shares to ${event.peer}, in ${event.ms} ms`
    case 'serving-failed':
    case 'peer-attested':
    case 'handshake':
    case 'quote-verified':
    case 'triggers':
      return undefined
    case 'peer-shut-out':
      return `shut out ${event.who} for ${event.forMs / 1_000} s: ${event.kind}`
    case 'exchange-failed':
      return `failed   exchange with ${event.peer}: ${event.code}`
    case 'compared':
      return `compared ${event.listed} shares that the chain lists: ${event.missing} missing, ${event.erased} erased`
    case 'reconciled':
      return `compared with ${event.peer}: ${event.missing} missing, ${event.outdated} older, ${event.erased} erased`
  }
}

function sentences(problems: Extract<NodeEvent, { type: 'problems' }>['problems']): string {
  return problems.map(({ code, sentence }) => `${code}: ${sentence}`).join(' ')
}

function describeSeat(change: Extract<NodeEvent, { type: 'seat' }>['change']): string {
  const seat = 'seat' in change ? ` to cluster ${change.seat.cluster}, slot ${change.seat.slot}` : ''
  return `${change.type}${seat} as of block ${change.block.number}`
}

function print(...lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}
