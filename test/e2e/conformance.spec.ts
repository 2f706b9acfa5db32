import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outcomeOf, runHere, spawnCli } from './cli.js'

const PEER = fileURLToPath(new URL('../integration/conformance/peer-process.js', import.meta.url))

describe('slotmesh conformance', function () {
  this.timeout(120_000)
  let scratch: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-conformance-'))
  })

  after(async () => {
    await rm(scratch, { recursive: true })
  })

  const command = (...more: string[]) =>
    ["exec '", process.execPath, "' '", PEER, "' {file}", ...more.map((word) => ` '${word}'`)].join('')

  it('lists the cases, and that every requirement has one or a reason why not', async () => {
    const { exitCode, stdout } = await runHere('conformance', '--list')
    assert.equal(exitCode, 0)
    assert.match(
      stdout,
      /^HELLO-13 +1\.2 +provider\n {4}Hello with an account that has no seat\n {4}-> Refusal NOT_REGISTERED$/m,
    )
    const count = Number(/^(\d+) cases$/m.exec(stdout)?.[1])
    assert.ok(count >= 300, `${count} cases`)
    assert.match(stdout, / 0 uncovered$/m)
  })

  it('starts a peer of another process by a command, judges it, and stops it', async () => {
    const [json, junit] = [join(scratch, 'results.json'), join(scratch, 'results.xml')]
    const { exitCode, stdout, stderr } = await runHere(
      ...['conformance', '--command', command(), '--only', 'HELLO-0,ASK-01', '--skip', 'HELLO-09'],
      ...['--json', json, '--junit', junit],
    )
    assert.equal(exitCode, 0, stdout + stderr)
    assert.match(stdout, /^ok {4}HELLO-01 +4\.3 +Hello with nothing wrong$/m)
    assert.match(stdout, /^9 cases: 9 passed\nPASS$/m)
    const { passed, cases } = JSON.parse(await readFile(json, 'utf8'))
    assert.equal(passed, true)
    assert.deepEqual(
      cases.map(({ id, verdict }: { id: string; verdict: string }) => [id, verdict]),
      [...'12345678'].map((at) => [`HELLO-0${at}`, 'passed']).concat([['ASK-01', 'passed']]),
    )
    const xml = await readFile(junit, 'utf8')
    assert.match(xml, /<testsuite name="HELLO" tests="8" failures="0" errors="0"/)
  })

  it('ends with 1 when the peer fails', async () => {
    const { exitCode, stdout } = await runHere(
      ...['conformance', '--command', command('believes any signature'), '--only', 'HELLO-24,HELLO-01'],
    )
    assert.equal(exitCode, 1, stdout)
    assert.match(stdout, /^FAIL {2}HELLO-24 .*\n {6}expected Refusal BAD_SIGNATURE; a Challenge came instead/m)
    assert.match(stdout, /^2 cases: 1 passed, 1 failed\nFAIL$/m)
  })

  it('ends with 2, and one sentence, when it cannot run', async () => {
    const nobody = await runHere('conformance', '--command', 'true', '--only', 'HELLO-01', '--join-timeout', '1500')
    assert.equal(nobody.exitCode, 2)
    assert.match(nobody.stderr, /^slotmesh: The peer was not reached within 1500 ms .*\n$/m)
    const nothing = await runHere('conformance', '--target-file', join(scratch, 'target.json'), '--only', 'NONE')
    assert.equal(nothing.exitCode, 2)
    assert.match(nothing.stderr, /^slotmesh: No case is chosen/m)
    const unsaid = await runHere('conformance')
    assert.equal(unsaid.exitCode, 2)
    assert.match(unsaid.stderr, /--target-file/)
  })

  it('writes what the peer needs to a file, and ends when it is interrupted', async () => {
    const file = join(scratch, 'told.json')
    const child = spawnCli('conformance', '--target-file', file, '--only', 'HELLO-01')
    const outcome = outcomeOf(child)
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk: Buffer | string) => {
        if (String(chunk).includes(file)) resolve()
      })
    })
    const target = JSON.parse(await readFile(file, 'utf8'))
    assert.equal(target.version, 1)
    assert.match(target.rpcUrl, /^ws:\/\/127\.0\.0\.1:\d+$/)
    assert.match(target.accountSeed, /^0x[0-9a-f]{64}$/)

    const post = async (url: string, body: unknown) =>
      (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).json()
    const reportData = `0x${'ab'.repeat(64)}`
    const { quote } = (await post(target.quoteUrl, { reportData })) as { quote: string }
    assert.deepEqual(await post(target.verifyUrl, { quote }), { reportData })
    assert.deepEqual(await post(target.verifyUrl, { quote: '0x00' }), { refusal: 'QUOTE_INVALID' })
    const chain = (await (await fetch(target.chainUrl)).json()) as {
      finalised: { number: number; hash: string }
      seats: { account: string; cluster: number; slot: number }[]
    }
    const { account, cluster, slot } = target
    assert.deepEqual(
      chain.seats.find((seat) => seat.account === account),
      { account, cluster, slot },
    )
    const blocks = await Promise.all(
      Array.from({ length: chain.finalised.number }, async (_, at) =>
        (await fetch(`${target.chainUrl}/blocks/${at + 1}`)).json(),
      ),
    )
    const events = blocks.flatMap((block) => (block as { events: { type: string }[] }).events)
    assert.equal(events.filter(({ type }) => type === 'synced').length, 127)
    assert.equal((await fetch(`${target.chainUrl}/nothing`)).status, 404)

    child.kill('SIGINT')
    assert.equal((await outcome).exitCode, 130)
  })
})
