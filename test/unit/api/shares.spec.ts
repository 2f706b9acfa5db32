import assert from 'node:assert/strict'
import { toSs58, utf8 } from '../../../src/crypto/index.js'
import { SlotmeshError } from '../../../src/domain/index.js'
import { IngestError } from '../../../src/sync/index.js'
import {
  chainWith,
  delegatee,
  NFT,
  NOW,
  owner,
  removing,
  rentee,
  retrieving,
  SHARE,
  SYNCED,
  SYNCING,
  sign,
  storing,
  stranger,
} from '../owner/fixture.js'
import { bodyOf, Stand } from './fixture.js'

const ENCLAVE = toSs58(stranger.account)
const KINDS = [
  { kind: 'secret', path: '/api/secret-nft', store: 'store-keyshare', log: 'secret_nft', absent: 404 },
  { kind: 'capsule', path: '/api/capsule-nft', store: 'set-keyshare', log: 'capsule', absent: 200 },
] as const

describe('the client API, of shares', () => {
  let stand: Stand

  beforeEach(async () => {
    stand = new Stand()
    await stand.start()
  })

  afterEach(() => stand.stop())

  for (const { kind, path, store, log, absent } of KINDS) {
    describe(`of a ${kind}`, () => {
      it('stores a share', async () => {
        stand.node.nft = SYNCING
        const response = await stand.post(`${path}/${store}`, storing())
        assert.equal(response.status, 200)
        const { description, ...body } = await bodyOf(response)
        assert.deepEqual(body, { status: 'STORESUCCESS', nft_id: NFT, enclave_account: ENCLAVE })
        assert.match(description, /sealed/)
        assert.deepEqual(stand.node.shares.get(`${kind}/${NFT}`), utf8(SHARE))
      })

      it('gives a share back, in the words that the published client takes apart', async () => {
        stand.node.shares.set(`${kind}/${NFT}`, utf8(SHARE))
        const response = await stand.post(`${path}/retrieve-keyshare`, retrieving())
        assert.equal(response.status, 200)
        assert.equal(response.headers.get('cache-control'), 'no-store')
        const { description: _, ...body } = await bodyOf(response)
        const keyshare = `${NFT}_${SHARE}_${NOW}_15`
        assert.deepEqual(body, {
          status: 'RETRIEVESUCCESS',
          nft_id: NFT,
          enclave_account: ENCLAVE,
          keyshare_data: keyshare,
        })
        assert.equal(body.keyshare_data.split('_')[1], SHARE)
        assert.ok(stand.node.given[0]?.every((byte) => byte === 0))
      })

      it('gives a share back that is no plain text', async () => {
        const odd = '"quoted" \\ and\nnew lines, ünïcödé 🗝 \u0000'
        stand.node.shares.set(`${kind}/${NFT}`, utf8(odd))
        const body = await bodyOf(await stand.post(`${path}/retrieve-keyshare`, retrieving()))
        assert.equal(body.keyshare_data.split('_')[1], odd)
      })

      it('says whether a share is there', async () => {
        const there = async () => {
          const response = await stand.get(`${path}/is-keyshare-available/${NFT}`)
          return { http: response.status, body: await bodyOf(response) }
        }
        const body = { enclave_account: ENCLAVE, block_number: NOW, nft_id: NFT }
        assert.deepEqual(await there(), { http: absent, body: { ...body, exists: false } })
        stand.node.shares.set(`${kind}/${NFT}`, utf8(SHARE))
        assert.deepEqual(await there(), { http: 200, body: { ...body, exists: true } })
      })

      it('says who was given a share', async () => {
        const at = Date.UTC(2026, 10, 30, 9, 5, 7)
        const [account, role] = [rentee.account, 'RENTEE'] as const
        stand.node.views = [
          { at, block: 3, account: owner.account, role: 'OWNER', event: 'STORE' },
          { at, block: 4, account, role, event: 'VIEW' },
        ]
        const response = await stand.get(`${path}/get-views-log/${NFT}`)
        assert.equal(response.status, 200)
        const body = await bodyOf(response)
        assert.equal(body.nft_id, NFT)
        const [stored, viewed] = [body.log[log]?.['0'], body.log[log]?.['1']]
        assert.equal(stored?.event, 'STORE')
        const address = toSs58(rentee.account)
        assert.deepEqual(viewed, {
          date: '2026-11-30 09:05:07',
          block: 4,
          account: { address, role: 'RENTEE' },
          event: 'VIEW',
        })
        assert.deepEqual(body.log[log === 'capsule' ? 'secret_nft' : 'capsule'], {})
      })

      it('says that there is no log, and why', async () => {
        const http = async () => (await stand.get(`${path}/get-views-log/${NFT}`)).status
        assert.equal(await http(), 404)
        stand.node.nft = { ...SYNCED, isSecret: kind === 'capsule', isCapsule: kind === 'secret' }
        assert.equal(await http(), 406)
        stand.node.nft = undefined
        assert.equal(await http(), 404)
      })

      it('removes a share of a burned NFT for a metrics server', async () => {
        stand.node.nft = undefined
        stand.node.shares.set(`${kind}/${NFT}`, utf8(SHARE))
        const response = await stand.post(`${path}/remove-keyshare`, removing())
        assert.equal(response.status, 200)
        assert.equal((await bodyOf(response)).status, 'REMOVESUCCESS')
        assert.equal(stand.node.shares.size, 0)
      })

      it('takes the published client’s unsigned request to remove for no request', async () => {
        const response = await stand.post(`${path}/remove-keyshare`, {
          requester_address: toSs58(owner.account),
          nft_id: NFT,
        })
        assert.equal(response.status, 422)
        assert.match(await response.text(), /takes requester_address, data, signature/)
      })
    })
  }

  describe('gives a share to nobody else', () => {
    beforeEach(() => {
      stand.node.shares.set(`secret/${NFT}`, utf8(SHARE))
    })

    const by = (role: 'DELEGATEE' | 'RENTEE' | 'OWNER', who = rentee) =>
      retrieving(undefined, { requester_type: role }, who)
    const rows = [
      ['who owns it not', 400, 'REQUESTERVERIFICATIONFAILED', by('OWNER', stranger)],
      ['whose rental has ended', 400, 'REQUESTERVERIFICATIONFAILED', by('RENTEE')],
      ['to whom it is not delegated', 400, 'REQUESTERVERIFICATIONFAILED', by('DELEGATEE')],
      ['who sends again what has expired', 400, 'EXPIREDREQUEST', retrieving(`<Bytes>${NFT}_${NOW - 16}_15</Bytes>`)],
      [
        'who signs for the owner',
        400,
        'SIGNERSIGVERIFICATIONFAILED',
        retrieving(undefined, { signature: sign(stranger, 'x') }),
      ],
    ] as const
    for (const [who, http, status, request] of rows) {
      it(who, async () => {
        const response = await stand.post('/api/secret-nft/retrieve-keyshare', request)
        assert.equal(response.status, http)
        const body = await bodyOf(response)
        assert.equal(body.status, status)
        assert.equal(body.nft_id, NFT)
        assert.equal(body.enclave_account, ENCLAVE)
        assert.match(body.description, /\.$/)
        assert.deepEqual(stand.node.given, [])
      })
    }
  })

  it('gives a share to who rents it, and to the delegatee', async () => {
    stand.node.nft = { ...SYNCED, rentee: rentee.account }
    stand.node.shares.set(`capsule/${NFT}`, utf8(SHARE))
    for (const [role, who] of [['RENTEE', rentee] as const, ['DELEGATEE', delegatee] as const]) {
      const request = retrieving(undefined, { requester_type: role }, who)
      assert.equal((await stand.post('/api/capsule-nft/retrieve-keyshare', request)).status, 200)
    }
  })

  describe('refuses to store', () => {
    const rows = [
      [
        'for another signer than was permitted',
        400,
        'DATASIGVERIFICATIONFAILED',
        storing({}, { signature: sign(stranger, 'x') }),
      ],
      [
        'for an owner who permitted nothing',
        400,
        'SIGNERSIGVERIFICATIONFAILED',
        storing({}, { signersig: sign(stranger, 'x') }),
      ],
      ['for who owns it not', 401, 'OWNERSHIPVERIFICATIONFAILED', storing({}, {}, stranger)],
      ['what has expired', 400, 'EXPIREDREQUEST', storing({ data: `<Bytes>${NFT}_${SHARE}_${NOW - 16}_15</Bytes>` })],
      [
        'a share that is too short',
        400,
        'KEYSHAREISTOOSHORT',
        storing({ data: `<Bytes>${NFT}_short_${NOW}_15</Bytes>` }),
      ],
      [
        'a share that is too long',
        400,
        'KEYSHAREISTOOLONG',
        storing({ data: `<Bytes>${NFT}_${'x'.repeat(3001)}_${NOW}_15</Bytes>` }),
      ],
    ] as const
    for (const [what, http, status, request] of rows) {
      it(what, async () => {
        stand.node.nft = SYNCING
        const response = await stand.post('/api/secret-nft/store-keyshare', request)
        assert.equal(response.status, http)
        assert.equal((await bodyOf(response)).status, status)
        assert.equal(stand.node.shares.size, 0)
      })
    }

    it('in a synced secret’s place', async () => {
      const response = await stand.post('/api/secret-nft/store-keyshare', storing())
      assert.equal(response.status, 403)
      assert.equal((await bodyOf(response)).status, 'NOTSYNCING')
    })

    it('with plain text where an address is none', async () => {
      const response = await stand.post('/api/secret-nft/store-keyshare', storing({}, { owner_address: 'me' }))
      assert.equal(response.status, 422)
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain/)
    })
  })

  describe('says of its own trouble', () => {
    const key = { kind: 'secret', nftId: NFT } as const
    const rows = [
      ['that the chain took no confirmation', new IngestError('no-funds', key), 504, 'ORACLEFAILURE'],
      ['that another share is held', new IngestError('held', key), 409, 'NFTIDEXISTS'],
      ['that the chain is out of reach', new SlotmeshError('chain/unreachable', 'No chain.'), 503, 'CHAINUNAVAILABLE'],
      ['that its view is old', new SlotmeshError('node/stale-view', 'No block.'), 503, 'CHAINUNAVAILABLE'],
      ['that too many ask for one share', new SlotmeshError('sync/busy', 'Many wait.'), 503, 'UNAVAILABLE'],
      ['that it stops', new SlotmeshError('node/stopped', 'It stops.'), 503, 'UNAVAILABLE'],
      [
        'that its disk fails',
        new SlotmeshError('store/failed', 'The disk /secret/path is full.'),
        500,
        'DATABASEFAILURE',
      ],
      ['nothing more than that', new Error(`share ${SHARE}`), 500, 'INTERNALERROR'],
    ] as const
    for (const [what, thrown, http, status] of rows) {
      it(what, async () => {
        stand.node.trouble = () => Promise.reject(thrown)
        const response = await stand.post('/api/secret-nft/store-keyshare', storing())
        assert.equal(response.status, http)
        const text = await response.text()
        assert.equal(JSON.parse(text).status, status)
        assert.doesNotMatch(text, new RegExp(`${SHARE}|/secret/path`))
        assert.doesNotMatch(stand.log.lines.join(), new RegExp(SHARE))
      })
    }

    it('that a share cannot be read', async () => {
      stand.node.trouble = () => Promise.reject(new SlotmeshError('store/tampered', 'The record does not open.'))
      const response = await stand.post('/api/secret-nft/retrieve-keyshare', retrieving())
      assert.equal(response.status, 500)
      assert.equal((await bodyOf(response)).status, 'KEYNOTREADABLE')
      assert.match(stand.log.lines.join(), /store\/tampered/)
    })

    it('that the chain cannot be asked, and never that there is no such NFT', async () => {
      stand.node.chain = { ...chainWith(undefined), nft: () => Promise.reject(new Error('closed')) }
      const response = await stand.post('/api/secret-nft/retrieve-keyshare', retrieving())
      assert.equal(response.status, 503)
      assert.equal((await bodyOf(response)).status, 'CHAINUNAVAILABLE')
    })

    it('that it is not ready to say', async () => {
      stand.node.trouble = () => Promise.reject(new SlotmeshError('chain/closed', 'The chain is closed.'))
      for (const path of ['is-keyshare-available', 'get-views-log']) {
        assert.equal((await stand.get(`/api/secret-nft/${path}/${NFT}`)).status, 503)
      }
    })
  })

  it('knows no ids that are none', async () => {
    for (const id of ['x', '-1', '4294967296', '1.5']) {
      assert.equal((await stand.get(`/api/secret-nft/is-keyshare-available/${id}`)).status, 400)
    }
  })

  it('writes no share and no signature into its log', async () => {
    stand.node.nft = SYNCING
    const request = storing()
    await stand.post('/api/secret-nft/store-keyshare', request)
    stand.node.nft = SYNCED
    await stand.post('/api/secret-nft/retrieve-keyshare', retrieving())
    const log = stand.log.lines.join('\n')
    assert.match(log, /answered a client/)
    for (const text of [SHARE, request.signature, request.owner_address, '127.0.0.1"']) {
      assert.equal(log.includes(text), false, text)
    }
  })
})
