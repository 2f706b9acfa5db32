import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createDevelopmentPki } from '../../../src/attestation/development/index.js'
import { staticCollateral } from '../../../src/attestation/index.js'
import { type AccountSigner, accountSigner, zero } from '../../../src/crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../../../src/devchain/index.js'
import type { AccountId, ShareKey } from '../../../src/domain/index.js'
import { createEnclaveNode, type EnclaveNode, type NodeStatus } from '../../../src/node/index.js'
import { peerIdOf } from '../../../src/node/peer-id.js'
import { ownerStoreRequest, retrieveRequest, type StoreRequest } from '../../../src/owner/index.js'
import { Actors } from '../../../src/simulation/index.js'
import { openStore } from '../../../src/store/index.js'
import { logger } from '../store/fixture.js'
import type { EnclaveInput, EnclaveOrder } from './enclave-process.js'
import { type Finding, findIn, findInFolder, findInMemory } from './scan.js'

const PROCESS = fileURLToPath(new URL('./enclave-process.js', import.meta.url))
const BUILD = {
  tee: 'sgx',
  mrEnclave: `0x${'11'.repeat(32)}`,
  mrSigner: `0x${'22'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
} as const

/** An enclave in a process of its own, with secrets that are looked for afterwards. */
class Enclave {
  readonly folder: string
  readonly secrets: Readonly<Record<'sealing key' | 'account seed' | 'libp2p key', Uint8Array>>
  readonly control = new Uint8Array(randomBytes(32))
  readonly child: ChildProcess
  #output = ''
  #nextId = 1
  account: AccountId = '0x'

  private constructor(folder: string, secrets: Enclave['secrets'], child: ChildProcess) {
    this.folder = folder
    this.secrets = secrets
    this.child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
      })
    }
  }

  static async start(scratch: string, name: string, more: Started) {
    const folder = join(scratch, name)
    await mkdir(folder)
    const secrets = {
      'sealing key': new Uint8Array(randomBytes(32)),
      'account seed': new Uint8Array(randomBytes(32)),
      'libp2p key': new Uint8Array(randomBytes(32)),
    }
    const control = new Uint8Array(randomBytes(32))
    const files = { sealingKeyFile: 'key', accountSeedFile: 'seed', controlFile: 'control' }
    for (const [file, content] of [
      [files.sealingKeyFile, secrets['sealing key']],
      [files.accountSeedFile, secrets['account seed']],
      [files.controlFile, control],
    ] as const) {
      await writeFile(join(scratch, `${name}.${file}`), content, { mode: 0o600 })
    }
    // The node makes this one itself where it finds none.
    const location = join(folder, 'store')
    const store = await openStore({ location, sealingKey: secrets['sealing key'], logger })
    await store.putSecret('peer-key-seed', secrets['libp2p key'])
    await store.close()
    const input: EnclaveInput = {
      ...more,
      folder: location,
      sealingKeyFile: join(scratch, `${name}.key`),
      accountSeedFile: join(scratch, `${name}.seed`),
      controlFile: join(scratch, `${name}.control`),
      build: BUILD,
    }
    const child = fork(PROCESS, [JSON.stringify(input)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: ['--expose-gc', '--report-uncaught-exception', `--report-directory=${folder}`],
    })
    const enclave = new Enclave(folder, secrets, child)
    enclave.control.set(control)
    const [begun]: { result: { account: AccountId; peerId: string } }[] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => assert.fail(`it ended: ${enclave.output}`)),
    ])
    enclave.account = begun?.result.account ?? assert.fail()
    assert.equal(begun?.result.peerId, await peerIdOf(secrets['libp2p key']))
    return enclave
  }

  get output(): string {
    return this.#output
  }

  async order(order: EnclaveOrder): Promise<unknown> {
    const id = this.#nextId
    this.#nextId += 1
    this.child.send({ id, order })
    for (;;) {
      const [answer]: { id: number; result?: unknown; error?: string }[] = await once(this.child, 'message')
      if (answer?.id !== id) continue
      if (answer.error !== undefined) throw new Error(answer.error)
      return answer.result
    }
  }

  async status(): Promise<NodeStatus> {
    return (await this.order({ type: 'status' })) as NodeStatus
  }

  async store(request: StoreRequest): Promise<void> {
    await this.order({ type: 'store', kind: 'secret', request })
  }
}

type Started = Pick<EnclaveInput, 'chainUrl' | 'bootstrap' | 'pkiSeed'>

/** An enclave that the others need and whose secrets nobody looks for: it lives in this process. */
class Bystander {
  readonly node: EnclaveNode

  private constructor(node: EnclaveNode) {
    this.node = node
  }

  static async start(scratch: string, name: string, { chainUrl, bootstrap, pkiSeed }: Started): Promise<Bystander> {
    const pki = await createDevelopmentPki({ seed: Buffer.from(pkiSeed, 'hex') })
    const folder = join(scratch, name)
    const node = await createEnclaveNode({
      folder,
      chain: { endpoints: [chainUrl] },
      mesh: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap, allowPrivateAddresses: true },
      attestation: {
        quoteSource: pki.platform({ machineId: folder, measurement: BUILD }).quoteSource,
        rootCertificate: pki.rootCertificate,
        collateral: staticCollateral(pki.collateral),
        policy: { allowedMeasurements: [{ mrEnclave: BUILD.mrEnclave }] },
      },
      sealingKey: new Uint8Array(randomBytes(32)),
    })
    await node.start()
    return new Bystander(node)
  }

  get account(): AccountId {
    return this.node.account
  }

  status(): Promise<NodeStatus> {
    return this.node.status()
  }

  async store(request: StoreRequest): Promise<void> {
    await this.node.storeShare('secret', request, { signal: AbortSignal.timeout(30_000) })
  }
}

describe('secrets of an enclave', function () {
  this.timeout(120_000)
  const share = new Uint8Array(randomBytes(32))
  const shareText = Buffer.from(share).toString('hex')
  let scratch: string
  let chain: DevelopmentChain
  let actors: Actors
  let origin: Enclave
  let replica: Enclave
  let others: Bystander[]
  let owner: AccountSigner
  let key: ShareKey

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-secrecy-'))
    owner = accountSigner(new Uint8Array(randomBytes(32)))
    const operators = Array.from({ length: 6 }, () => accountSigner(new Uint8Array(randomBytes(32))))
    chain = await startDevelopmentChain({
      blockTime: 300,
      endowed: [owner, ...operators].map(({ account }) => account),
    })
    const signal = AbortSignal.timeout(110_000)
    actors = await Actors.connect({ endpoint: chain.url, committee: developmentSigner('Alice'), signal })
    const more = { chainUrl: chain.url, pkiSeed: randomBytes(32).toString('hex') }
    origin = await Enclave.start(scratch, 'origin', { ...more, bootstrap: [] })
    const bootstrap = (await origin.status()).multiaddrs
    const names = ['one', 'two', 'three', 'four']
    ;[replica, others] = await Promise.all([
      Enclave.start(scratch, 'replica', { ...more, bootstrap }),
      Promise.all(names.map((name) => Bystander.start(scratch, name, { ...more, bootstrap }))),
    ])
    const clusters = [await actors.createCluster(), await actors.createCluster()]
    await actors.seat(
      [origin, ...others, replica].map(({ account }, at) => ({
        account,
        operator: operators[at] ?? assert.fail(),
        cluster: clusters[at < 5 ? 0 : 1] ?? assert.fail(),
        slot: at % 5,
        apiUri: `https://enclave-${at}.invalid`,
      })),
    )

    const minted = await actors.mint(owner, 'secret')
    key = { kind: 'secret', nftId: minted.nftId }
    for (const [slot, enclave] of [origin, ...others].entries()) {
      await until(async () => (await enclave.status()).finalisedBlock >= minted.block)
      const text = slot === 0 ? shareText : randomBytes(32).toString('hex')
      const temporarySigner = accountSigner(new Uint8Array(randomBytes(32)))
      await whileValid(enclave, async (block) => {
        const request = ownerStoreRequest({ owner, temporarySigner, key, share: text, block, validity: 20 })
        await enclave.store(request)
      })
    }
    await until(async () => (await replica.status()).shares.secret === 1)
    await whileValid(replica, async (block) => {
      const request = retrieveRequest({ requester: owner, role: 'OWNER', key, block, validity: 20 })
      assert.equal(await replica.order({ type: 'retrieve', kind: 'secret', request }), shareText.length)
    })
  })

  after(async () => {
    for (const enclave of [origin, replica]) enclave?.child.kill('SIGKILL')
    await Promise.all((others ?? []).map(({ node }) => node.stop()))
    await actors?.close()
    await chain?.stop()
    await rm(scratch, { recursive: true })
  })

  async function until(condition: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 60_000
    while (!(await condition())) {
      assert.ok(Date.now() < deadline, 'it took too long')
      await pause(100)
    }
  }

  /** Signs for the enclave's own latest block, and anew where that took longer than the request was valid. */
  async function whileValid(enclave: Enclave | Bystander, ask: (block: number) => Promise<void>): Promise<void> {
    await until(async () => {
      try {
        await ask((await enclave.status()).finalisedBlock)
        return true
      } catch (thrown) {
        if (!/is not valid at this block/.test(String(thrown))) throw thrown
        return false
      }
    })
  }

  /** The share itself, and the text in which owners hand theirs over. */
  const shares = () => ({ share, 'share as text': new Uint8Array(Buffer.from(shareText)) })
  const none = (findings: readonly Finding[]) => assert.deepEqual(findings, [])

  it('are never logged, at whatever level, nor told by the status', async () => {
    for (const enclave of [origin, replica]) {
      const told = enclave.output + JSON.stringify(await enclave.status())
      assert.match(told, /"level":"debug"/)
      none(findIn(Buffer.from(told), 'log', { ...enclave.secrets, ...shares() }))
    }
    // One that is said is found.
    await replica.order({ type: 'log', file: join(scratch, 'replica.control') })
    await until(async () => replica.output.includes('planted'))
    const found = findIn(Buffer.from(replica.output), 'log', { control: replica.control })
    // Both kinds of base64 are alike where neither + nor / is in it.
    assert.ok(
      found.some(({ form }) => form === 'base64'),
      JSON.stringify(found),
    )
  })

  it('are in no file of their folders', () => {
    for (const enclave of [origin, replica]) {
      none(findInFolder(enclave.folder, { ...enclave.secrets, ...shares() }))
    }
    // The control is found where it is.
    const beside = findIn(readFileSync(join(scratch, 'replica.control')), 'file', { control: replica.control })
    assert.deepEqual(
      beside.map(({ form }) => form),
      ['bytes', 'later half'],
    )
  })

  it('are not among the objects of an idle node', async () => {
    for (const enclave of [origin, replica]) {
      const file = join(scratch, 'heap.json')
      await enclave.order({ type: 'heap-snapshot', file })
      const heap = readFileSync(file)
      none(findIn(heap, 'heap', { ...enclave.secrets, ...shares() }))
      // What is kept on purpose is found. (A snapshot has no contents of buffers: those are looked for below.)
      assert.deepEqual(
        findIn(heap, 'heap', { control: enclave.control }).map(({ form }) => form),
        ['lower-case hexadecimal'],
      )
      await rm(file)
    }
  })

  it('are not in the memory of an idle node, freed memory included', async function () {
    const pid = replica.child.pid ?? assert.fail()
    if (!existsSync(`/proc/${pid}/mem`)) {
      // There is no such file but on Linux.
      this.skip()
    }
    const control = findInMemory(pid, { control: replica.control }).map(({ form }) => form)
    assert.ok(control.includes('bytes') && control.includes('lower-case hexadecimal'), `${control}`)
    // libp2p needs its key as long as the node runs.
    const withoutPeerKey = ({ 'libp2p key': _, ...secrets }: Enclave['secrets']) => secrets
    none(findInMemory(pid, { ...withoutPeerKey(replica.secrets), ...shares() }))
    none(findInMemory(origin.child.pid ?? assert.fail(), withoutPeerKey(origin.secrets)))
    const peerKey = findInMemory(pid, { 'libp2p key': replica.secrets['libp2p key'] })
    assert.ok(peerKey.some(({ form }) => form === 'bytes'))
  })

  it('are in nothing that a crash leaves behind', async () => {
    const exited = once(replica.child, 'exit')
    await replica.order({ type: 'crash' })
    await exited
    assert.match(replica.output, /told to crash/)
    const withoutControl = replica.output.replace(/.*planted.*/g, '')
    none(findIn(Buffer.from(withoutControl), 'output', { ...replica.secrets, ...shares() }))
    none(findInFolder(replica.folder, { ...replica.secrets, ...shares(), control: replica.control }))
    zero(share)
  })
})
