import assert from 'node:assert/strict'
import type { NftFacts } from '../../../src/domain/index.js'
import {
  type IntervalRequest,
  type OwnerRequestStatus,
  type RemoveRequest,
  verifyIntervalRequest,
  verifyRemoveRequest,
} from '../../../src/owner/index.js'
import {
  chainWith,
  listing,
  metricsServer,
  NFT,
  NOW,
  owner,
  removing,
  SYNCED,
  sign,
  stranger,
  token,
} from './fixture.js'

const signal = new AbortController().signal
const deaf = { metricsServers: () => Promise.reject(new Error('socket closed')) }

describe('a metrics server’s request', () => {
  describe('to remove a share', () => {
    const verify = (request: RemoveRequest, nft?: NftFacts) =>
      verifyRemoveRequest('capsule', request, chainWith(nft), { signal })

    it('is granted where the NFT is burned, or has no share of this kind any more', async () => {
      assert.deepEqual(await verify(removing()), { kind: 'capsule', nftId: NFT })
      await verify(removing(), { ...SYNCED, isCapsule: false })
    })

    const refusals: readonly [name: string, OwnerRequestStatus, RemoveRequest, NftFacts?][] = [
      ['of a share that there is', 'NOTBURNT', removing(), SYNCED],
      ['of a share that is to be', 'NOTBURNT', removing(), { ...SYNCED, isSyncingCapsule: true }],
      ['from its owner', 'REQUESTERVERIFICATIONFAILED', removing(undefined, {}, owner)],
      ['that has expired', 'EXPIREDREQUEST', removing(`<Bytes>${NFT}_${NOW - 16}_15</Bytes>`)],
      ['signed by another', 'SIGNERSIGVERIFICATIONFAILED', removing(undefined, { signature: sign(stranger, 'x') })],
      ['without a signature', 'INVALIDSIGNERSIGNATURE', removing(undefined, { signature: '0x' })],
      ['of no NFT', 'INVALIDNFTID', removing(`<Bytes>all_${NOW}_15</Bytes>`)],
      ['with a share', 'INVALIDDATAFORMAT', removing(`<Bytes>${NFT}_share_${NOW}_15</Bytes>`)],
    ]
    for (const [name, status, request, nft] of refusals) {
      it(`is refused: ${name}`, async () => {
        await assert.rejects(verify(request, nft), { status })
      })
    }

    it('is refused with 503 when the chain cannot be asked', async () => {
      const facts = { ...chainWith(undefined), ...deaf }
      await assert.rejects(verifyRemoveRequest('secret', removing(), facts, { signal }), { httpStatus: 503 })
    })
  })

  describe('for what was synced between two blocks', () => {
    const verify = (request: IntervalRequest) => verifyIntervalRequest(request, chainWith(undefined), { signal })

    it('is granted', async () => {
      assert.deepEqual(await verify(listing()), { sender: metricsServer.account, after: 10, before: 20 })
      await verify(listing({ interval: '[ 10, 20 ]' }))
      await verify(listing({ auth: `<Bytes>${token()}</Bytes>` }))
      await verify(listing({ auth: token({ more: 'than is known' }) }))
      const request = listing()
      await verify({ ...request, signature: request.signature.slice(2) })
    })

    const refusals: readonly [name: string, OwnerRequestStatus, IntervalRequest][] = [
      ['an address that is none', 'INVALIDBODY', listing({}, { metric_account: 'me' })],
      ['an account that is no metrics server', 'REQUESTERVERIFICATIONFAILED', listing({}, {}, stranger)],
      ['a token that is no JSON', 'INVALIDAUTHTOKEN', listing({ auth: '{' })],
      ['a token with a block that is none', 'INVALIDAUTHTOKEN', listing({ auth: token({ block_number: -1 }) })],
      ['a signature that is none', 'INVALIDSIGNERSIGNATURE', listing({}, { signature: 'me' })],
      ['another token than was signed', 'SIGNERSIGVERIFICATIONFAILED', listing({}, { auth_token: token({ more: 1 }) })],
      ['a token that has expired', 'EXPIREDREQUEST', listing({ auth: token({ block_number: NOW - 16 }) })],
      ['a token that is valid for too long', 'EXPIREDREQUEST', listing({ auth: token({ block_validation: 21 }) })],
      ['another interval than was signed', 'DATAHASHMISMATCH', listing({}, { block_interval: '[10,21]' })],
      ['an interval that runs backwards', 'INVALIDINTERVAL', listing({ interval: '[20,20]' })],
      ['an interval of three', 'INVALIDINTERVAL', listing({ interval: '[1,2,3]' })],
      ['an interval beyond u32', 'INVALIDINTERVAL', listing({ interval: '[1,4294967296]' })],
    ]
    for (const [name, status, request] of refusals) {
      it(`is refused: ${name}`, async () => {
        await assert.rejects(verify(request), { status })
      })
    }

    it('is refused with 503 when the chain cannot be asked', async () => {
      const facts = { ...chainWith(undefined), ...deaf }
      await assert.rejects(verifyIntervalRequest(listing(), facts, { signal }), { httpStatus: 503 })
    })

    it('has the chain asked for nothing that is wrong in itself', async () => {
      const facts = { ...chainWith(undefined), ...deaf }
      for (const [name, status, request] of refusals) {
        if (status === 'REQUESTERVERIFICATIONFAILED') continue
        await assert.rejects(verifyIntervalRequest(request, facts, { signal }), { status }, name)
      }
    })
  })
})
