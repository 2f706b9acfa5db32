import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ConfigError,
  configurationSchema,
  configurationText,
  parseSettings,
  resolveSettings,
  settingsReference,
} from '../../../src/config/index.js'
import { ROWS } from '../../../src/config/table/index.js'
import { RECONCILE } from '../../../src/sync/reconciliation.js'

describe('the table of settings', () => {
  let scratch: string
  let file: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-table-'))
    file = join(scratch, 'node.yaml')
    await writeFile(
      file,
      'chain: { endpoints: [ws://file], quietAfterMs: 1000 }\nmesh: { allowPrivateAddresses: true }\n',
    )
  })

  after(() => rm(scratch, { recursive: true }))

  it('names each flag and each variable once', () => {
    for (const names of [
      ROWS.flatMap(({ flag }) => flag?.split(' ')[0] ?? []),
      ROWS.flatMap((row) => row.variable ?? []),
    ]) {
      assert.equal(new Set(names).size, names.length)
    }
    assert.equal(ROWS.find(({ path }) => path === 'chain.genesisHash')?.variable, 'SLOTMESH_CHAIN_GENESIS_HASH')
  })

  it('has a flag win over a variable, that over the file, and that over what holds otherwise', async () => {
    const environment = { SLOTMESH_CONFIG: file, SLOTMESH_CHAIN_ENDPOINTS: 'ws://one, wss://two' }
    const flags = new Map([['chain.endpoints', ['ws://flag']]])
    assert.deepEqual((await resolveSettings({ flags, environment })).chain, {
      endpoints: ['ws://flag'],
      quietAfterMs: 1000,
      connectTimeoutMs: 10_000,
    })
    assert.deepEqual((await resolveSettings({ environment })).chain.endpoints, ['ws://one', 'wss://two'])
    assert.deepEqual((await resolveSettings({ file })).chain.endpoints, ['ws://file'])
    const { mesh } = await resolveSettings({ file, environment: { SLOTMESH_MESH_ALLOW_PRIVATE_ADDRESSES: 'false' } })
    assert.equal(mesh.allowPrivateAddresses, false)
    assert.deepEqual(mesh.listen, ['/ip4/0.0.0.0/tcp/4001'])
  })

  it('says of comparisons what the library does by itself', async () => {
    const { everyMs, chainEveryMs } = RECONCILE
    assert.deepEqual((await resolveSettings({})).reconciliation, { everyMs, chainEveryMs })
  })

  const refused = (given: Parameters<typeof resolveSettings>[0], code: string, sentence: RegExp) =>
    assert.rejects(resolveSettings(given), (thrown) => {
      assert.ok(thrown instanceof ConfigError, String(thrown))
      assert.equal(thrown.code, code)
      assert.match(thrown.message, sentence)
      return true
    })

  it('knows no variable but its own, and passes over those that orchestrators set', async () => {
    await refused(
      { environment: { SLOTMESH_CHAIN_ENDPOINT: 'ws://x' } },
      'config/bad-variable',
      /SLOTMESH_CHAIN_ENDPOINT \(is SLOTMESH_CHAIN_ENDPOINTS meant\?\)/,
    )
    const environment = {
      SLOTMESH_DEBUG: '1',
      SLOTMESH_SERVICE_HOST: '10.0.0.1',
      SLOTMESH_SERVICE_PORT_P2P: '4001',
      SLOTMESH_PORT: 'tcp://10.0.0.1:4001',
      SLOTMESH_PORT_4001_TCP_ADDR: '10.0.0.1',
    }
    assert.equal((await resolveSettings({ environment })).folder, undefined)
  })

  it('checks what loses as well as what wins, and repeats no value', async () => {
    await refused(
      { flags: new Map([['sealing', 'file:x']]), environment: { SLOTMESH_SEALING: 's3cret' } },
      'config/bad-variable',
      /^The environment variable SLOTMESH_SEALING takes gramine:mrenclave, [^;]*; correct it\.$/,
    )
    for (const [path, given, sentence] of [
      ['chain.quietAfterMs', '1.5', /^The flag --chain-quiet-after takes a whole number from 1 to 86400000; /],
      ['attestation.source', 'sgx', /^The flag --quote-source takes one of auto, gramine, configfs-tsm; /],
      ['mesh.listen', ['/ip4/127.0.0.1/udp/1'], /^The flag --listen takes a multiaddr of a TCP port such as /],
      ['mesh.bootstrap', ['nowhere'], /^The flag --bootstrap takes a multiaddr such as /],
      ['attestation.simulated.seed', 'ff', /^The flag --development-seed takes 32 bytes in hexadecimal /],
    ] as const) {
      await refused({ flags: new Map([[path, given]]) }, 'config/bad-option', sentence)
    }
    await refused(
      { environment: { SLOTMESH_SHARE_POST_QUANTUM_ONLY: 'yes' } },
      'config/bad-variable',
      /SLOTMESH_SHARE_POST_QUANTUM_ONLY takes true or false; /,
    )
  })

  it('makes a file that says what it is given, and that can say the rest', () => {
    const seed = `0x${'ab'.repeat(32)}`
    const text = configurationText(
      new Map<string, unknown>([
        ['folder', '/var/lib/slotmesh'],
        ['chain.endpoints', ['ws://127.0.0.1:9944']],
        ['attestation.simulated.seed', seed],
      ]),
      './schema.json',
    )
    assert.match(text, /^# yaml-language-server: \$schema=\.\/schema\.json\n/)
    const { folder, chain, attestation, ...rest } = parseSettings(text, 'node.yaml')
    assert.deepEqual([folder, chain], ['/var/lib/slotmesh', { endpoints: ['ws://127.0.0.1:9944'] }])
    assert.deepEqual(attestation, { simulated: { seed }, collateral: null })
    assert.ok(
      Object.values(rest).every((section) => section === null),
      JSON.stringify(rest),
    )
    // Where every comment that is a setting becomes one.
    const uncommented = configurationText(new Map()).replace(/^( *)# ([ ]*[\w]+:( .*)?|[ ]*- .*)$/gm, '$1$2')
    const all = parseSettings(uncommented, 'node.yaml')
    assert.deepEqual(Object.keys(all.attestation ?? {}), ['source', 'simulated', 'collateral', 'policy'])
    for (const { path, example } of ROWS) {
      const value = path.split('.').reduce<unknown>((at, name) => Object(at)[name], all)
      assert.deepEqual(value, example, path)
    }
  })

  it('is what docs/configuration.md lists, and docs/config.schema.json describes', async () => {
    assert.ok((await readFile('docs/configuration.md', 'utf8')).includes(settingsReference()), 'npm run schema')
    const written: unknown = JSON.parse(await readFile('docs/config.schema.json', 'utf8'))
    assert.deepEqual(written, JSON.parse(JSON.stringify(configurationSchema())))
  })

  it('tells editors the three forms of a measurement rule', () => {
    const schema = JSON.stringify(configurationSchema())
    for (const name of ['mrEnclave', 'mrSigner', 'mrTd']) assert.ok(schema.includes(`"${name}"`), name)
  })
})
