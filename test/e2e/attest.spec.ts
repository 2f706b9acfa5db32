import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevelopmentPki, startSimulatedPccs } from '../../src/attestation/development/index.js'
import { runCli, runHere } from './cli.js'

const SEED = '07'.repeat(32)

describe('slotmesh attest', () => {
  let scratch: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-attest-'))
  })

  after(() => rm(scratch, { recursive: true }))

  async function configured(yaml: string): Promise<string> {
    const path = join(scratch, 'node.yaml')
    await writeFile(path, yaml)
    return path
  }

  it('shows the policy in words', async () => {
    const config = await configured(`
attestation:
  policy:
    allowedMeasurements:
      - { mrEnclave: 0x${'e1'.repeat(32)}, untilBlock: 1200 }
      - { mrSigner: 0x${'51'.repeat(32)}, productId: 7, minimumSecurityVersion: 3 }
      - { mrTd: 0x${'7d'.repeat(48)}, rtmr0: any, rtmr1: any, rtmr2: any, rtmr3: 0x${'a3'.repeat(48)} }
    tcbExceptions:
      - { status: SWHardeningNeeded, advisoryIds: [INTEL-SA-00615], until: 2027-03-31T00:00:00Z }
    maximumCollateralAgeDays: 45
`)
    const { exitCode, stdout } = await runHere('attest', 'policy', '--config', config)
    assert.equal(exitCode, 0)
    assert.equal(
      stdout,
      `Root of trust
  Intel SGX Root CA, for SGX and for TDX
Allowed builds
  SGX build MRENCLAVE 0x${'e1'.repeat(32)}, until block 1200
  SGX signer MRSIGNER 0x${'51'.repeat(32)}, product 7 from security version 3
  TDX image MRTD 0x${'7d'.repeat(48)}
    RTMR0 any
    RTMR1 any
    RTMR2 any
    RTMR3 0x${'a3'.repeat(48)}
  debug enclaves: never
Accepted platforms
  UpToDate
  SWHardeningNeeded when open to INTEL-SA-00615, until 2027-03-31T00:00:00Z
  Revoked: never
Collateral
  evaluation data number: any
  age: at most 45 days
`,
    )
    const simulated = await runHere('attest', 'policy', '--development-seed', SEED)
    assert.match(simulated.stdout, /simulated quotes pass, and they prove nothing/)
  })

  it('makes a quote and judges it, by collateral from a PCCS too', async () => {
    const out = join(scratch, 'quote')
    const reportData = 'ab'.repeat(64)
    const made = await runCli('attest', 'quote', '--development-seed', SEED, '--report-data', reportData, '--out', out)
    assert.deepEqual([made.exitCode, made.stderr], [0, ''])
    const quote = await readFile(out)
    const pki = await createDevelopmentPki({ seed: Buffer.from(SEED, 'hex') })
    const pccs = await startSimulatedPccs({ sgx: pki.collateral, tdx: pki.tdxCollateral })
    try {
      const config = await configured(`attestation: { collateral: { url: '${pccs.url}' } }`)
      for (const content of [quote, quote.toString('hex'), `0x${quote.toString('hex')}\n`, quote.toString('base64')]) {
        await writeFile(out, content)
        const { exitCode, stdout, stderr } = await runHere(
          ...['attest', 'verify', out, '--development-seed', SEED, '--config', config],
        )
        assert.deepEqual([exitCode, stderr], [0, ''])
        assert.match(stdout, /^MRENCLAVE +0xdede[\s\S]*\ngenuine .*\n$/)
        assert.ok(stdout.includes(`report data  ${reportData}\nplatform     UpToDate\n`), stdout)
      }
      assert.equal(pccs.requests.length, 16)
    } finally {
      await pccs.stop()
    }
  })

  it('says in one sentence why a quote is not accepted', async () => {
    const out = join(scratch, 'quote')
    await runHere('attest', 'quote', '--development-seed', SEED, '--out', out)
    const refused = async (sentence: RegExp, ...parameters: string[]) => {
      const { exitCode, stdout, stderr } = await runHere('attest', 'verify', out, ...parameters)
      assert.equal(exitCode, 1)
      // What it claims is shown all the same, and not that it is true.
      assert.match(stdout, /^MRENCLAVE +0xdede/)
      assert.doesNotMatch(stdout, /genuine/)
      assert.match(stderr, sentence)
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
    }
    await refused(/^slotmesh: The quote is not genuine: .*root/, '--development-seed', '08'.repeat(32))
    const other = await configured(
      `attestation: { policy: { allowedMeasurements: [{ mrEnclave: 0x${'00'.repeat(32)} }] } }`,
    )
    await refused(
      /^slotmesh: The policy does not allow MRENCLAVE 0xdede/,
      '--development-seed',
      SEED,
      '--config',
      other,
    )
    await refused(/valid from .* until/, '--development-seed', SEED, '--at', '2030-01-01T00:00:00Z')
    const quote = await readFile(out)
    quote[400] = (quote[400] ?? 0) ^ 1
    await writeFile(out, quote)
    await refused(/report is not signed by the attestation key/, '--development-seed', SEED)
  })

  it('says in one sentence which file it cannot use, and why', async () => {
    const absent = join(scratch, 'absent')
    const loop = join(scratch, 'loop')
    const empty = join(scratch, 'empty')
    await symlink(loop, loop)
    await writeFile(empty, '')
    const refused = async (exitCode: number, sentence: RegExp, ...parameters: string[]) => {
      const found = await runHere('attest', ...parameters)
      assert.deepEqual([found.exitCode, found.stdout], [exitCode, ''], found.stderr)
      assert.match(found.stderr, sentence)
      assert.equal(found.stderr.trim().split('\n').length, 1, found.stderr)
    }
    const verify = (file: string) => ['verify', file, '--development-seed', SEED]
    const quote = (out: string) => ['quote', '--development-seed', SEED, '--out', out]
    await refused(2, /^slotmesh: The file .*absent cannot be read \(ENOENT/, ...verify(absent))
    await refused(2, /^slotmesh: The file .* cannot be read \(EISDIR/, ...verify(scratch))
    await refused(2, /^slotmesh: The file .*loop cannot be read \(ELOOP/, ...verify(loop))
    await refused(2, /^slotmesh: The file .*empty is empty/, ...verify(empty))
    await refused(2, /^slotmesh: The file .* has more than 65536 bytes/, ...verify('/dev/zero'))
    await refused(2, /^slotmesh: The quote cannot be written to .* \(EISDIR/, ...quote(scratch))
    await refused(2, /^slotmesh: The quote cannot be written to .* \(ENOENT/, ...quote(join(absent, 'quote')))
    for (const command of [['policy'], ['quote', '--out', absent], ['verify', empty]]) {
      await refused(1, /^slotmesh: The configuration file .* cannot be read/, ...command, '--config', scratch)
    }
  })

  it('says what is missing where there is no hardware', async () => {
    const { exitCode, stderr } = await runHere('attest', 'quote', '--out', join(scratch, 'none'))
    assert.equal(exitCode, 1)
    assert.match(stderr, /^slotmesh: No device of this machine makes quotes: run on SGX under Gramine/)
    const unsaid = await runHere('attest', 'policy')
    assert.deepEqual(
      [unsaid.exitCode, unsaid.stderr],
      [
        2,
        'slotmesh: Give --development-seed to simulate the TEE, or attestation.policy in the file that --config names.\n',
      ],
    )
  })
})
