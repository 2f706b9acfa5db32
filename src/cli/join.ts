import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { fromHex, toSs58 } from '../crypto/index.js'
import { type Hex, SlotmeshError, shareKeyText } from '../domain/index.js'
import type { EnclaveNode, NodeEvent } from '../node/index.js'
import { chainUrls, seed } from './arguments.js'
import { untilInterrupted } from './interruption.js'
import { lineLogger } from './line-logger.js'

interface JoinFlags {
  readonly folder: string
  readonly chain: readonly string[]
  readonly listen: readonly string[]
  readonly announce?: readonly string[]
  readonly bootstrap: readonly string[]
  readonly allowPrivateAddresses?: boolean
  readonly postQuantumOnly?: boolean
  readonly developmentSeed?: Hex
  readonly machineId?: string
  readonly verbose?: boolean
}

/** What simulated enclaves run: nodes of one development mesh must agree on it. */
const DEVELOPMENT_BUILD = {
  tee: 'sgx',
  mrEnclave: `0x${'de'.repeat(32)}`,
  mrSigner: `0x${'5e'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
} as const

export function addJoin(program: Command): void {
  program
    .command('join')
    .description('Run one enclave in the foreground: it joins the mesh and keeps its shares in step with the chain.')
    .requiredOption('--folder <path>', 'its sealed store; made when absent')
    .requiredOption('--chain <url...>', 'WebSocket addresses of nodes of the chain, the preferred one first', chainUrls)
    .option('--listen <multiaddr...>', 'addresses to listen on', ['/ip4/0.0.0.0/tcp/4001'])
    .option('--announce <multiaddr...>', 'addresses to tell others, when they differ')
    .option('--bootstrap <multiaddr...>', 'addresses of peers to enter the mesh by', [])
    .option('--allow-private-addresses', 'dial, and tell others, loopback and local-network addresses')
    .option('--post-quantum-only', 'exchange shares in X-Wing alone; peers that cannot are refused')
    .option('--development-seed <hex>', 'simulate the TEE: quotes of the development PKI with this seed', seed)
    .option('--machine-id <text>', 'names the simulated machine (default: the folder’s path)')
    .option('--verbose', 'log debug lines, too')
    .action(async (flags: JoinFlags) => {
      const developmentSeed = requireSeed(flags.developmentSeed)
      const addresses = { listen: flags.listen, announce: flags.announce ?? [], bootstrap: flags.bootstrap }
      await checkMultiaddrs(addresses)
      await untilInterrupted((signal) => run(flags, developmentSeed, signal))
    })
}

async function run(flags: JoinFlags, developmentSeed: Hex, signal: AbortSignal): Promise<void> {
  const node = await createNode(flags, developmentSeed)
  const unsubscribe = node.subscribe((event) => print(describe(event)))
  try {
    print(`account  ${toSs58(node.account)}  ${node.account}`, `peer     ${node.peerId}`)
    // A start cannot be cut short, and a chain may be waited for longer than a supervisor waits for the end.
    await Promise.race([start(node, flags.chain), aborted(signal)])
    if (signal.aborted) return
    for (const address of (await node.status()).multiaddrs) print(`listens  ${address}`)
    await aborted(signal)
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

async function createNode(flags: JoinFlags, developmentSeed: Hex): Promise<EnclaveNode> {
  // Loaded only when they are needed, so that the help comes at once.
  const [{ createEnclaveNode }, { createDevelopmentPki }, { staticCollateral }, { SUITE_X_WING }] = await Promise.all([
    import('../node/index.js'),
    import('../attestation/development/index.js'),
    import('../attestation/index.js'),
    import('../share/index.js'),
  ])
  const pki = await createDevelopmentPki({ seed: fromHex(developmentSeed) })
  const machineId = flags.machineId ?? resolve(flags.folder)
  const platform = pki.platform({ machineId, measurement: DEVELOPMENT_BUILD })
  return createEnclaveNode({
    folder: flags.folder,
    chain: { endpoints: flags.chain },
    mesh: {
      listen: flags.listen,
      bootstrap: flags.bootstrap,
      ...(flags.announce && { announce: flags.announce }),
      allowPrivateAddresses: flags.allowPrivateAddresses === true,
    },
    attestation: {
      quoteSource: platform.quoteSource,
      rootCertificate: pki.rootCertificate,
      collateral: staticCollateral(pki.collateral),
      policy: { allowedMeasurements: [{ mrEnclave: DEVELOPMENT_BUILD.mrEnclave }] },
    },
    ...(flags.postQuantumOnly && { share: { suites: [SUITE_X_WING] } }),
    sealingKey: platform.sealingKey(),
    logger: lineLogger(process.stderr, flags.verbose === true ? 'debug' : 'info'),
  })
}

function requireSeed(developmentSeed: Hex | undefined): Hex {
  if (developmentSeed !== undefined) return developmentSeed
  throw new SlotmeshError(
    'cli/bad-option',
    'This version has no source of hardware quotes yet: give --development-seed to simulate the TEE.',
  )
}

async function checkMultiaddrs(addresses: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const { multiaddr } = await import('@multiformats/multiaddr')
  for (const [option, texts] of Object.entries(addresses)) {
    // Peers may be given by a name (/dnsaddr) that only leads to TCP addresses.
    const kind = option === 'bootstrap' ? 'multiaddr' : 'multiaddr of a TCP port'
    for (const text of texts) {
      const sentence = `--${option} "${text}" is no ${kind}; one looks like /ip4/127.0.0.1/tcp/4001.`
      let protocols: string[]
      try {
        protocols = multiaddr(text)
          .getComponents()
          .map(({ name }) => name)
      } catch (cause) {
        throw new SlotmeshError('cli/bad-option', sentence, { cause })
      }
      if (option !== 'bootstrap' && !protocols.includes('tcp')) throw new SlotmeshError('cli/bad-option', sentence)
    }
  }
}

function describe(event: NodeEvent): string {
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
    case 'exchange-failed':
      return `failed   exchange with ${event.peer}: ${event.code}`
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
