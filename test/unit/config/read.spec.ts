import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, type ConfigErrorCode, parseSettings, readSettings } from '../../../src/config/index.js'

const MR_ENCLAVE = `0x${'e1'.repeat(32)}`
const MR_TD = `0x${'7d'.repeat(48)}`

const WHOLE = `
folder: store
chain:
  endpoints: [wss://one.example, ws://127.0.0.1:9944]
  genesisHash: 0x${'AB'.repeat(32)}
mesh:
  listen: [/ip4/0.0.0.0/tcp/4001]
  bootstrap: []
  allowPrivateAddresses: true
share:
  postQuantumOnly: true
reconciliation:
  everyMs: 600000
  chainEveryMs: 43200000
attestation:
  source: gramine
  collateral:
    url: https://pccs.example:8081
  policy:
    allowedMeasurements:
      - mrEnclave: ${MR_ENCLAVE}
        untilBlock: 1200000
      - mrSigner: 0x${'51'.repeat(32)}
        productId: 7
        minimumSecurityVersion: 3
      - { mrTd: ${MR_TD}, rtmr0: ${MR_TD}, rtmr1: ${MR_TD}, rtmr2: ${MR_TD}, rtmr3: any }
    tcbExceptions:
      - status: SWHardeningNeeded
        advisoryIds: [INTEL-SA-00334, INTEL-SA-00615]
        until: 2027-03-31T00:00:00Z
    minimumTcbEvaluationDataNumber: 17
    maximumCollateralAgeDays: 30
sealing: gramine:mrenclave
nextSealing: gramine:mrsigner
`

describe('a node’s configuration file', () => {
  let scratch: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-config-'))
  })

  after(() => rm(scratch, { recursive: true }))

  it('is read as it stands, the folder as beside the file', async () => {
    const path = join(scratch, 'node.yaml')
    await writeFile(path, WHOLE)
    assert.deepEqual(await readSettings(path), {
      folder: join(scratch, 'store'),
      chain: {
        endpoints: ['wss://one.example', 'ws://127.0.0.1:9944'],
        genesisHash: `0x${'ab'.repeat(32)}`,
      },
      mesh: { listen: ['/ip4/0.0.0.0/tcp/4001'], bootstrap: [], allowPrivateAddresses: true },
      share: { postQuantumOnly: true },
      reconciliation: { everyMs: 600_000, chainEveryMs: 43_200_000 },
      attestation: {
        source: 'gramine',
        collateral: { url: 'https://pccs.example:8081' },
        policy: {
          allowedMeasurements: [
            { mrEnclave: MR_ENCLAVE, untilBlock: 1_200_000 },
            { mrSigner: `0x${'51'.repeat(32)}`, productId: 7, minimumSecurityVersion: 3 },
            { mrTd: MR_TD, rtmr0: MR_TD, rtmr1: MR_TD, rtmr2: MR_TD, rtmr3: 'any' },
          ],
          tcbExceptions: [
            {
              status: 'SWHardeningNeeded',
              advisoryIds: ['INTEL-SA-00334', 'INTEL-SA-00615'],
              until: '2027-03-31T00:00:00Z',
            },
          ],
          minimumTcbEvaluationDataNumber: 17,
          maximumCollateralAgeDays: 30,
        },
      },
      sealing: 'gramine:mrenclave',
      nextSealing: 'gramine:mrsigner',
    })
  })

  it('has each path that it says relative to itself, and nothing else', async () => {
    const path = join(scratch, 'paths.yaml')
    const api = (certificate: string, key: string) => ({ listen: '127.0.0.1:0', certificate, key })
    const said = { sealing: 'file:keys/sealing', nextSealing: 'passphrase:/run/passphrase', share: null, log: {} }
    await writeFile(
      path,
      JSON.stringify({ folder: '../store', ...said, api: api('tls/certificate.pem', '/etc/key.pem') }),
    )
    assert.deepEqual(await readSettings(path), {
      ...said,
      folder: join(scratch, '..', 'store'),
      sealing: `file:${join(scratch, 'keys', 'sealing')}`,
      api: api(join(scratch, 'tls', 'certificate.pem'), '/etc/key.pem'),
    })
  })

  it('may be empty, or JSON', () => {
    assert.deepEqual(parseSettings('', 'node.yaml'), {})
    assert.deepEqual(parseSettings('{ "folder": "/var/lib/slotmesh" }', 'node.yaml'), { folder: '/var/lib/slotmesh' })
  })

  const policyOf = (rule: string) => `attestation: { policy: { allowedMeasurements: [${rule}] } }`
  const at = 'attestation.policy.allowedMeasurements'
  const wrong: [name: string, text: string, sentence: string][] = [
    ['a misspelt setting', 'foldr: x', 'the whole has no setting foldr (is folder meant?)'],
    ['a misspelt way out', 'nextSeeling: file:x', 'the whole has no setting nextSeeling (is nextSealing meant?)'],
    ['a next key that is none', 'nextSealing: []', 'nextSealing is wrong: expected string, received array'],
    ['one that is like nothing', 'zebra: x', 'the whole has no setting zebra'],
    ['a misspelt inner setting', 'chain: { endpoint: [] }', 'chain has no setting endpoint (is endpoints meant?)'],
    [
      'a misspelt setting of a rule',
      policyOf(`{ mrEnclave: ${MR_ENCLAVE}, untilblok: 5 }`),
      `${at}[0] has no setting untilblok (is untilBlock meant?)`,
    ],
    [
      'a password in an address',
      'attestation: { collateral: { url: "https://user:s3cret@pccs.example" } }',
      'attestation.collateral.url takes a URL without user and password, since it is printed and logged',
    ],
    [
      'a measurement that is too short',
      policyOf('{ mrEnclave: 0xe1 }'),
      `${at}[0].mrEnclave takes 32 bytes in hexadecimal (0x…)`,
    ],
    [
      'a number where text belongs',
      policyOf('{ mrEnclave: 5 }'),
      `${at}[0].mrEnclave is wrong: expected string, received number`,
    ],
    [
      'a rule of no kind',
      policyOf('{ untilBlock: 5 }'),
      `${at}[0] must have exactly one of mrEnclave, mrSigner and mrTd`,
    ],
    [
      'a rule of two kinds',
      policyOf(`{ mrEnclave: ${MR_ENCLAVE}, mrTd: ${MR_TD} }`),
      `${at}[0] must have exactly one of mrEnclave, mrSigner and mrTd`,
    ],
    [
      'a register left out',
      policyOf(`{ mrTd: ${MR_TD}, rtmr0: any, rtmr1: any, rtmr2: any }`),
      `${at}[0].rtmr3 takes 48 bytes in hexadecimal (0x…), or the word any`,
    ],
    ['a policy that allows nothing', policyOf(''), `${at} must allow at least one build`],
    [
      'a URL of another scheme',
      'chain: { endpoints: [https://x] }',
      'chain.endpoints[0] takes a URL that begins with ws:// or wss://',
    ],
    ['a setting said twice', 'folder: a\nfolder: b', 'Map keys must be unique'],
    ['what is no YAML', 'folder: [', 'Flow sequence'],
    ['an alias', 'folder: &a x\nsealing: *a', 'Alias resolution is disabled'],
  ]
  for (const [name, text, sentence] of wrong) {
    it(`is refused with a sentence for ${name}`, () => {
      assert.throws(
        () => parseSettings(text, '/etc/node.yaml'),
        (thrown) => {
          assert.ok(thrown instanceof ConfigError, String(thrown))
          assert.equal(thrown.code, 'config/bad-value' satisfies ConfigErrorCode)
          assert.ok(thrown.message.startsWith('In the configuration file /etc/node.yaml, '), thrown.message)
          assert.ok(thrown.message.includes(sentence), thrown.message)
          assert.ok(!thrown.message.includes('\n'), thrown.message)
          return true
        },
      )
    })
  }

  it('never excuses revoked platforms', () => {
    const policy = `{ allowedMeasurements: [{ mrEnclave: ${MR_ENCLAVE} }], tcbExceptions: [{ status: Revoked, advisoryIds: [], until: 2027-03-31T00:00:00Z }] }`
    assert.throws(() => parseSettings(`attestation: { policy: ${policy} }`, 'node.yaml'), /tcbExceptions\[0\].status/)
  })

  it('is refused when it is not there, too large, or no UTF-8', async () => {
    const refused = (path: string, reason: RegExp) =>
      assert.rejects(readSettings(path), (thrown) => {
        assert.ok(thrown instanceof ConfigError && thrown.code === 'config/unreadable', String(thrown))
        assert.match(thrown.message, reason)
        return true
      })
    await refused(join(scratch, 'absent.yaml'), /ENOENT/)
    const path = join(scratch, 'bad.yaml')
    await writeFile(path, '#'.repeat(1_048_577))
    await refused(path, /1048577 bytes/)
    await writeFile(path, Uint8Array.of(0xff, 0xfe))
    await refused(path, /not valid/)
  })
})
