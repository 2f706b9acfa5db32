import { once } from 'node:events'
import { setInterval } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Settings } from '../config/index.js'
import type { ControlServer } from '../control/index.js'
import { toSs58, zero } from '../crypto/index.js'
import { type Logger, messageOf, packageVersion, SlotmeshError } from '../domain/index.js'
import type { EnclaveNode, MeshMetrics } from '../node/index.js'
import { apiOf } from './api.js'
import { untilInterrupted } from './interruption.js'
import { lineLogger } from './line-logger.js'
import { logEvents } from './node-log.js'
import { addSettings, required, type SettingFlags, settingsOf } from './settings.js'
import { progressText, StatusLine } from './status-line.js'
import { folderOf, openingKeyOf, quoteSourceOf, verificationOf } from './tee.js'
import { prepareViews } from './views.js'

/** A supervisor waits ten seconds for the end: exchanges under way have half of them. */
const GRACE_MS = 5_000

/** Between two looks at how far the node is, for a terminal; ms. */
const LOOK_EVERY_MS = 500

export function addJoin(program: Command): void {
  addSettings(program.command('join'))
    .description('Run one enclave in the foreground: it joins the mesh and keeps its shares in step with the chain.')
    .addHelpText(
      'after',
      `
What is printed: who the node is and where it listens. What happens is logged on the standard error output.
SIGTERM or SIGINT ends it within ten seconds, after the exchanges under way; a second one at once.

Example, after slotmesh init node-a …:
  slotmesh join --config node-a/slotmesh.yaml`,
    )
    .action(async (flags: SettingFlags) => {
      const settings = await settingsOf(flags)
      await untilInterrupted((signal) => run(settings, signal))
    })
}

async function run(settings: Settings, signal: AbortSignal): Promise<void> {
  const endpoints = required(settings.chain.endpoints, 'chain.endpoints')
  const { level, format } = settings.log
  const isTerminal = process.stderr.isTTY === true
  const line = new StatusLine(process.stderr)
  const logger = lineLogger(line, level, format === 'auto' ? (isTerminal ? 'text' : 'json') : format)
  const views = await prepareViews(settings)
  const node = await createNode(settings, endpoints, { logger, signal, metrics: views.meshMetrics })
  const endLog = logEvents(node, logger)
  const control = await openControl(node, folderOf(settings), logger)
  const closeViews = await views.open(node, logger, print).catch(async (thrown: unknown) => {
    await control?.close()
    await node.stop()
    throw thrown
  })
  const looking = new AbortController()
  if (isTerminal && !process.env.CI) void showProgress(node, line, looking.signal)
  try {
    print(`account  ${toSs58(node.account)}  ${node.account}`, `peer     ${node.peerId}`)
    // A start cannot be cut short, and a chain may be waited for longer than a supervisor waits for the end.
    await Promise.race([start(node, endpoints), aborted(signal)])
    if (signal.aborted) return
    const { multiaddrs, api } = await node.status()
    for (const address of multiaddrs) print(`listens  ${address}`)
    if (api !== undefined) print(`clients  ${api}`)
    await Promise.race([aborted(signal), aborted(node.failed)])
    // Whatever starts the node again has it read what the disk has kept.
    if (!signal.aborted) node.failed.throwIfAborted()
  } finally {
    looking.abort()
    line.show('')
    if (signal.aborted) logger.info('stopping, after the exchanges under way', { withinMs: GRACE_MS })
    await control?.close()
    await node.stop({ graceMs: GRACE_MS })
    await closeViews()
    endLog()
  }
}

/** A node that cannot be asked does its work all the same. */
async function openControl(node: EnclaveNode, folder: string, logger: Logger): Promise<ControlServer | undefined> {
  const { controlSocketOf, nodeAsks, RecentErrors, serveControl } = await import('../control/index.js')
  const asks = nodeAsks(node, {
    errors: new RecentErrors(node),
    version: packageVersion(),
    startedAt: Date.now(),
  })
  try {
    return await serveControl({ path: controlSocketOf(folder), asks, logger })
  } catch (thrown) {
    logger.warn('the node cannot be asked for its status', { reason: messageOf(thrown) })
    return undefined
  }
}

async function showProgress(node: EnclaveNode, line: StatusLine, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of setInterval(LOOK_EVERY_MS, undefined, { signal, ref: false })) {
      const text = progressText(await node.status())
      if (!signal.aborted) line.show(text)
    }
  } catch {
    // It has ended, or the store has; that is told elsewhere.
    line.show('')
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
  {
    logger,
    signal,
    metrics,
  }: { readonly logger: Logger; readonly signal: AbortSignal; readonly metrics: MeshMetrics | undefined },
): Promise<EnclaveNode> {
  // Loaded only when they are needed, so that the help comes at once.
  const [{ createEnclaveNode }, { SUITE_X_WING }] = await Promise.all([
    import('../node/index.js'),
    import('../share/index.js'),
  ])
  const api = apiOf(settings)
  const folder = folderOf(settings)
  const verification = await verificationOf(settings)
  const quoteSource = await quoteSourceOf(settings)
  const sealingKey = await openingKeyOf(settings, signal)
  try {
    return await createEnclaveNode({
      folder,
      chain: { ...settings.chain, endpoints },
      mesh: { ...settings.mesh, ...(metrics && { metrics }) },
      attestation: { ...verification, quoteSource },
      reconciliation: settings.reconciliation,
      ...(settings.share.postQuantumOnly && { share: { suites: [SUITE_X_WING] } }),
      ...(api && { api }),
      sealingKey,
      logger,
    })
  } finally {
    zero(sealingKey)
  }
}

function print(...lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}
