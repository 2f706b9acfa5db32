import assert from 'node:assert/strict'
import { toSs58 } from '../../../src/crypto/index.js'
import { type AccountId, packageVersion, SlotmeshError } from '../../../src/domain/index.js'
import { chainWith, listing, metricsServer, NOW, stranger } from '../owner/fixture.js'
import { bodyOf, deferred, Stand } from './fixture.js'

describe('the client API, of the node', () => {
  let stand: Stand

  beforeEach(async () => {
    stand = new Stand()
    await stand.start()
  })

  afterEach(() => stand.stop())

  it('tells its health, and where peers find it', async () => {
    const response = await stand.get('/api/health')
    assert.equal(response.status, 200)
    assert.deepEqual(await bodyOf(response), {
      chain: 'paper',
      block_number: NOW,
      sync_state: String(NOW - 1),
      secrets_number: 1,
      version: packageVersion(),
      description: 'The enclave is in step with the chain.',
      enclave_address: toSs58(stranger.account),
      peer_id: 'peer',
      multiaddrs: ['/ip4/192.0.2.1/tcp/4001/p2p/peer'],
    })
  })

  for (const [state, http] of [
    ['unregistered', 206],
    ['setup', 205],
    ['stopped', 406],
  ] as const) {
    it(`answers ${http} when its state is ${state}`, async () => {
      stand.node.state = state
      assert.equal((await stand.get('/api/health')).status, http)
      assert.equal((await stand.get('/readyz')).status, 503)
    })
  }

  it('is alive, and ready only without what keeps it from giving shares out', async () => {
    assert.equal((await stand.get('/healthz')).status, 200)
    assert.deepEqual(await bodyOf(await stand.get('/readyz')), { ready: true, state: 'running', problems: [] })
    stand.node.problems = [{ code: 'mesh/offenders' }]
    assert.equal((await stand.get('/readyz')).status, 200)
    stand.node.problems.push({ code: 'chain/stale-view' })
    const response = await stand.get('/readyz')
    assert.equal(response.status, 503)
    assert.deepEqual((await bodyOf(response)).problems, ['mesh/offenders', 'chain/stale-view'])
    assert.equal((await stand.get('/healthz')).status, 200)
  })

  it('gives its quote as bare hexadecimal digits', async () => {
    const response = await stand.get('/api/quote')
    assert.deepEqual(await bodyOf(response), { block_number: NOW, data: Buffer.from('a quote').toString('hex') })
  })

  it('says that there is no quote, and nothing of the device', async () => {
    stand.node.trouble = () => Promise.reject(new SlotmeshError('attestation/device', 'The device /dev/x is gone.'))
    const response = await stand.get('/api/quote')
    assert.equal(response.status, 500)
    const { block_number, data } = await bodyOf(response)
    assert.equal(block_number, NOW)
    assert.doesNotMatch(data, /dev/)
  })

  describe('for metrics servers', () => {
    const path = '/api/metric/interval-nft-list'

    it('lists what was synced between two blocks', async () => {
      const response = await stand.post(path, listing())
      assert.equal(response.status, 200)
      assert.deepEqual(await bodyOf(response), { nftid: [11] })
    })

    it('refuses with 400 and an error', async () => {
      for (const request of [listing({}, {}, stranger), listing({ auth: '{}' }), listing({ interval: '[2,1]' })]) {
        const response = await stand.post(path, request)
        assert.equal(response.status, 400)
        assert.match((await bodyOf(response)).error, /\.$/)
      }
    })

    it('refuses with 422 what is no such request', async () => {
      assert.equal((await stand.post(path, {})).status, 422)
    })

    it('makes one list at a time', async () => {
      const [begun, end] = [deferred<void>(), deferred<never>()]
      stand.node.trouble = () => {
        begun.resolve()
        return end.promise
      }
      const first = stand.post(path, listing())
      await begun.promise
      assert.equal((await stand.post(path, listing())).status, 503)
      end.reject(new SlotmeshError('chain/unreachable', 'No chain.'))
      assert.equal((await first).status, 503)
      stand.node.trouble = undefined
      assert.equal((await stand.post(path, listing())).status, 200)
    })

    it('lets no stranger take the place of one who may ask', async () => {
      const [begun, end] = [deferred<void>(), deferred<readonly AccountId[]>()]
      const servers = [metricsServer.account]
      let isFirst = true
      stand.node.chain = {
        ...chainWith(undefined),
        metricsServers: async () => {
          if (!isFirst) return servers
          isFirst = false
          begun.resolve()
          return end.promise
        },
      }
      const strange = stand.post(path, listing({}, {}, stranger))
      await begun.promise
      assert.equal((await stand.post(path, listing())).status, 200)
      end.resolve(servers)
      assert.equal((await strange).status, 400)
    })
  })

  it('says that there is no such route as the reference does', async () => {
    for (const response of [await stand.get('/api/nothing?x=1'), await stand.get('/api/health', { method: 'POST' })]) {
      assert.equal(response.status, 400)
      assert.match((await bodyOf(response)).description, /^No route to URL : \/api\//)
    }
  })
})
