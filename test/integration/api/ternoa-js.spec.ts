import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { toSs58 } from '../../../src/crypto/index.js'
import { Folders } from '../store/fixture.js'
import { makeCertificates } from './certificates.js'
import { ApiMesh, metricsSeed, metricsServer, owner, ownerSeed } from './mesh.js'

const FOLDER = fileURLToPath(new URL('../../../../test/ternoa-js/', import.meta.url))
/** As long as a private key that the client splits. */
const SECRET = `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${'a key that the published client splits '.repeat(18)}`

interface Stored {
  readonly status: string
  readonly isError: boolean
}

interface Done {
  readonly health: readonly { readonly sync_state: string }[]
  readonly data: readonly { readonly status: number }[]
  readonly quotes: readonly { readonly status: number; readonly data: string }[]
  readonly firstPublic: number
  readonly stored: Readonly<Record<'secret' | 'capsule', readonly Stored[]>>
  readonly available: Readonly<Record<string, boolean>>
  readonly retrieved: Readonly<Record<string, { readonly count: number; readonly secret: string }>>
  readonly capsuleKey: string
  readonly listed: unknown
  readonly removed: readonly { readonly status: string }[]
}

describe('the published client ternoa-js', function () {
  this.timeout(600_000)
  const folders = new Folders()
  let mesh: ApiMesh
  let done: Done
  let nfts: readonly number[]

  before(async function () {
    // It has an older @polkadot/api and 120 packages of its own: `npm run ternoa-js` installs it.
    if (!existsSync(`${FOLDER}node_modules/ternoa-js`)) return this.skip()
    const folder = await folders.make()
    const { authority, certificate, key } = await makeCertificates(folder)
    mesh = new ApiMesh(folder, { listen: '127.0.0.1:0', tls: { certificate, key } })
    await mesh.start(2)
    await mesh.actors.admitMetricsServer(metricsServer.account)
    const [secret, capsule] = [await mesh.actors.mint(owner, 'secret'), await mesh.actors.mint(owner, 'capsule')]
    nfts = [secret.nftId, capsule.nftId]
    await mesh.seen(capsule.block)
    const orders = {
      endpoint: mesh.chain.url,
      ownerSeed,
      metricsSeed,
      clusters: mesh.clusters,
      secret: { nftId: secret.nftId, secret: SECRET },
      capsule: { nftId: capsule.nftId, secret: `${SECRET} of a capsule` },
    }
    const client = spawn(process.execPath, ['client.cjs'], {
      cwd: FOLDER,
      env: { ...process.env, NODE_EXTRA_CA_CERTS: authority },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    client.stdin.end(JSON.stringify(orders))
    const said = await text(client.stdout)
    // Its libraries say to the console what they think of one another.
    done = JSON.parse(said.slice(said.indexOf('{"stored"'))) as Done
  })

  after(async () => {
    await mesh?.stop()
    await folders.clear()
  })

  it('finds all enclaves of a cluster healthy', () => {
    assert.equal(done.health.length, 5)
    for (const { sync_state } of done.health) assert.match(sync_state, /^\d+$/)
    assert.deepEqual(
      done.data.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    )
    assert.equal(done.firstPublic, mesh.clusters[0])
  })

  it('gets their quotes', () => {
    assert.equal(done.quotes.length, 5)
    for (const { status, data } of done.quotes) {
      assert.equal(status, 200)
      assert.match(data, /^[0-9a-f]{1000,}$/)
    }
  })

  for (const kind of ['secret', 'capsule'] as const) {
    it(`stores a ${kind}, and has it back`, () => {
      assert.deepEqual(
        done.stored[kind].map(({ status, isError }) => [status, isError]),
        Array.from({ length: 5 }, () => ['STORESUCCESS', false]),
      )
      assert.equal(done.available[`${kind} before`], false)
      assert.equal(done.available[kind], true)
      const secret = kind === 'secret' ? SECRET : `${SECRET} of a capsule`
      assert.equal(done.retrieved[`${kind} at home`]?.secret, secret)
      assert.equal(done.retrieved[`${kind} away`]?.secret, secret)
    })
  }

  it('gets a capsule’s key in one call, with all its checks of health', () => {
    assert.equal(done.capsuleKey, `${SECRET} of a capsule`)
  })

  it('has a metrics server’s lists', () => {
    const listed = JSON.stringify(done.listed)
    for (const nftId of nfts) assert.match(listed, new RegExp(`\\b${nftId}\\b`))
    assert.match(listed, new RegExp(toSs58(mesh.node(0).account)))
  })

  it('is told that its unsigned request to remove is none', () => {
    for (const { status } of done.removed) assert.notEqual(status, 'REMOVESUCCESS')
  })
})
