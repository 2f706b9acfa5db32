import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Settings } from '../config/index.js'
import { placedIn, ROWS } from '../config/table/index.js'
import { toSs58, zero } from '../crypto/index.js'
import { messageOf, SlotmeshError } from '../domain/index.js'
import type { NodeIdentity } from '../node/index.js'
import { addSettings, flagsOf, type SettingFlags, settingsOf } from './settings.js'
import { sealingKeyOf } from './tee.js'

/** What stands in a node's folder. */
const [CONFIG, SCHEMA, STORE] = ['slotmesh.yaml', 'slotmesh.schema.json', 'store']

/** Bytes that the TEE pallet takes (`MaxUriLen`). */
const LONGEST_URI = 150

interface InitFlags extends SettingFlags {
  readonly apiUri?: string
}

export function addInit(program: Command): void {
  const paths = ROWS.map(({ path }) => path).filter((path) => path !== 'folder' && path !== 'nextSealing')
  addSettings(program.command('init <folder>'), paths, { fromFile: false })
    .description(
      'Make a node: its folder, configuration, enclave account and PeerId; and say what to register on chain.',
    )
    .option('--api-uri <url>', 'where its clients will reach it, as it is to be registered')
    .addHelpText(
      'after',
      `
Example, on a development chain (slotmesh devchain):
  slotmesh init node-a --chain ws://127.0.0.1:9944 --listen /ip4/127.0.0.1/tcp/4001 --allow-private-addresses \\
    --development-seed 0x${'01'.repeat(32)}
On hardware outside of SGX, with a key file that is made:
  slotmesh init node-a --chain wss://chain.example --sealing file:sealing.key`,
    )
    .action(init)
}

async function init(given: string, flags: InitFlags): Promise<void> {
  const folder = resolve(given)
  // A file that the environment names may be the one that is to be made.
  const settings = forPlace(await settingsOf(flags, { ...process.env, SLOTMESH_CONFIG: undefined }), folder)
  await requireFree(folder)
  const uri = requireUri(flags.apiUri)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // The first file: of two that make one folder at once, one fails here, and has made nothing.
  const { configurationSchema } = await import('../config/index.js')
  await writeNew(folder, SCHEMA, `${JSON.stringify(configurationSchema(), undefined, 2)}\n`)
  let keyFile: string | undefined
  try {
    keyFile = await makeKeyFile(settings)
    const sealingKey = await sealingKeyOf(settings)
    try {
      const { nodeIdentity } = await import('../node/index.js')
      const identity = await nodeIdentity({ folder: join(folder, STORE), sealingKey })
      await writeDocuments(folder, settings, flags)
      tell(folder, settings, identity, { keyFile, uri })
    } finally {
      zero(sealingKey)
    }
  } catch (thrown) {
    // Nothing was there before, and nobody knows the account.
    await rm(folder, { recursive: true, force: true })
    if (keyFile !== undefined) await rm(keyFile, { force: true })
    throw thrown
  }
}

/** @returns what is to be registered, as far as it is known. */
function requireUri(uri: string | undefined): string {
  if (uri === undefined) return 'https://<host>:<port>'
  const isOne = URL.canParse(uri) && /^https?:$/.test(new URL(uri).protocol)
  if (isOne && Buffer.byteLength(uri) <= LONGEST_URI) return uri
  const sentence = `The flag --api-uri takes a URL that begins with https:// or http://, of at most ${LONGEST_URI} bytes; correct it.`
  throw new SlotmeshError('cli/bad-option', sentence)
}

/** What does not depend on where a command is called, and names the simulated machine for good. */
function forPlace(settings: Settings, folder: string): Settings {
  const { attestation } = settings
  const { seed, machineId = join(folder, STORE) } = attestation.simulated
  return {
    ...placedIn(process.cwd(), settings),
    folder: join(folder, STORE),
    ...(seed !== undefined && { attestation: { ...attestation, simulated: { seed, machineId } } }),
  }
}

/** Never in place of what somebody may need: a folder is an account that has a stake. */
async function requireFree(folder: string): Promise<void> {
  let names: readonly string[]
  try {
    names = await readdir(folder)
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return
    const sentence = `The folder ${folder} cannot be used (${messageOf(thrown)}); name one that is not there yet.`
    throw new SlotmeshError('cli/unusable-folder', sentence, { cause: thrown })
  }
  if (names.length === 0) return
  const how = names.includes(CONFIG) ? `run slotmesh join --config ${join(folder, CONFIG)}` : 'name another one'
  const sentence = `The folder ${folder} is not empty, and nothing is overwritten: ${how}, or move it away.`
  throw new SlotmeshError('cli/folder-taken', sentence)
}

/** @returns the path of the key file, if there was none. */
async function makeKeyFile({ sealing }: Settings): Promise<string | undefined> {
  if (sealing === undefined) return undefined
  const { createKeyFile, parseSealingKeySource } = await import('../sealing-key/index.js')
  const source = parseSealingKeySource(sealing)
  if (source.from !== 'file') return undefined
  const { path } = source
  try {
    await stat(path)
    return undefined
  } catch {
    await createKeyFile(path)
    return path
  }
}

async function writeDocuments(folder: string, settings: Settings, flags: SettingFlags): Promise<void> {
  const { configurationText } = await import('../config/index.js')
  const said = new Map<string, unknown>([...flagsOf(flags)].filter(([, value]) => value !== undefined))
  const values = new Map<string, unknown>()
  for (const { path } of ROWS) if (said.has(path)) values.set(path, at(settings, path))
  values.set('folder', STORE)
  const { machineId } = settings.attestation.simulated
  if (machineId !== undefined) values.set('attestation.simulated.machineId', machineId)
  await writeNew(folder, CONFIG, configurationText(values, `./${SCHEMA}`))
}

async function writeNew(folder: string, name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), text, { flag: 'wx', mode: 0o600 })
}

function at(settings: Settings, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => Object(value)[name], settings)
}

function tell(
  folder: string,
  settings: Settings,
  { account, peerId }: NodeIdentity,
  { keyFile, uri }: { readonly keyFile: string | undefined; readonly uri: string },
): void {
  const { listen, announce = listen } = settings.mesh
  const { endpoints } = settings.chain
  const isUntold = settings.attestation.policy === undefined && settings.attestation.simulated.seed === undefined
  print(
    `account    ${toSs58(account)}  ${account}`,
    `peer       ${peerId}`,
    ...announce.map((address) => `multiaddr  ${address}/p2p/${peerId}`),
    ...(announce.some(isAnyAddress)
      ? ['           (others need an address of this machine there; --announce says which)']
      : []),
    `config     ${join(folder, CONFIG)}`,
    ...(keyFile === undefined ? [] : [`key        ${keyFile}: keep a copy, nothing opens the folder without it`]),
    '',
    'To register on chain, in this order:',
    `  1. The operator's account:  TEE.register_enclave(enclave_address: ${toSs58(account)}, api_uri: "${uri}")`,
    '  2. The committee, or root:  TEE.assign_enclave(operator: <operator>, cluster_id: <cluster>, slot_id: <slot>)',
    '     (without slot_id on a chain of the first generation, where the slot is the next place in the cluster)',
    '  3. Anybody with funds:      Balances.transfer_keep_alive(dest: <account above>, value: <some>)',
    '     (the enclave itself pays the fee of each share that it confirms)',
    '',
    ...(endpoints === undefined ? [`Say in ${CONFIG} which chain (chain.endpoints) before you go on.`] : []),
    ...(isUntold ? [`Say in ${CONFIG} which enclaves are trusted (attestation.policy) before you go on.`] : []),
    `Go on with:  slotmesh join --config ${join(folder, CONFIG)}`,
    `Look after it with:  slotmesh doctor --config ${join(folder, CONFIG)}`,
  )
}

function isAnyAddress(address: string): boolean {
  return /^\/(ip4\/0\.0\.0\.0|ip6\/::)\//.test(address)
}

function print(...lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}
