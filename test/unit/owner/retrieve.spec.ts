import assert from 'node:assert/strict'
import { toSs58 } from '../../../src/crypto/index.js'
import type { NftFacts, ShareKind } from '../../../src/domain/index.js'
import {
  type AuthorisedRetrieve,
  keyNotExist,
  type OwnerRequestStatus,
  type RetrieveRequest,
  retrieveRequest,
  verifyRetrieveRequest,
} from '../../../src/owner/index.js'
import {
  chainWith,
  delegatee,
  NFT,
  NOW,
  owner,
  rentee,
  retrieving,
  SHARE,
  SYNCED,
  SYNCING,
  sign,
  stranger,
} from './fixture.js'

const signal = new AbortController().signal
const RIGHT_DATA = `<Bytes>${NFT}_${NOW}_15</Bytes>`

interface Row {
  readonly name: string
  readonly request: RetrieveRequest
  readonly kind?: ShareKind
  /** A secret and a capsule that are synced, when not given; null when there is no NFT. */
  readonly nft?: NftFacts | null
}

interface RefusedRow extends Row {
  readonly status: OwnerRequestStatus
  readonly http: number
  readonly nftId: number
}

function verify({ request, kind = 'secret', nft = SYNCED }: Omit<Row, 'name'>): Promise<AuthorisedRetrieve> {
  return verifyRetrieveRequest(kind, request, chainWith(nft ?? undefined), { signal })
}

function refused(http: number, status: OwnerRequestStatus, nftId: number, rows: readonly Row[]): RefusedRow[] {
  return rows.map((row) => ({ ...row, http, status, nftId }))
}

const byDelegatee = retrieving(RIGHT_DATA, { requester_type: 'DELEGATEE' }, delegatee)
const byRentee = retrieving(RIGHT_DATA, { requester_type: 'RENTEE' }, rentee)
const rented: NftFacts = { ...SYNCED, rentee: rentee.account }
const undelegated: NftFacts = { ...SYNCED, delegatee: undefined }

const RIGHT: readonly (Row & { readonly requester?: string })[] = [
  { name: 'the owner', request: retrieving() },
  { name: 'the owner of a capsule', request: retrieving(), kind: 'capsule' },
  { name: 'the rentee', request: byRentee, nft: rented, requester: rentee.account },
  { name: 'the delegatee', request: byDelegatee, requester: delegatee.account },
  {
    name: 'the owner of a secret whose capsule is syncing',
    request: retrieving(),
    nft: { ...SYNCED, isSyncingCapsule: true },
  },
  { name: 'no tags', request: retrieving(`${NFT}_${NOW}_15`) },
  { name: 'numbers with a plus and zeros', request: retrieving(`<Bytes>+007_+${NOW}_015</Bytes>`) },
  { name: 'the last block', request: retrieving(`<Bytes>${NFT}_${NOW - 20}_20</Bytes>`) },
  { name: 'two blocks ahead', request: retrieving(`<Bytes>${NFT}_${NOW + 2}_15</Bytes>`) },
]

const REFUSED: readonly RefusedRow[] = [
  refused(422, 'INVALIDBODY', 0, [
    { name: 'a requester address that is none', request: retrieving('', { requester_address: 'me', signature: '' }) },
  ]),
  refused(400, 'INVALIDDATAFORMAT', 0, [
    { name: 'two parts', request: retrieving(`<Bytes>${NFT}_${NOW}</Bytes>`) },
    { name: 'four parts', request: retrieving(`<Bytes>${NFT}_${NOW}_15_</Bytes>`) },
    { name: 'the data of a request to store', request: retrieving(`<Bytes>${NFT}_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'no data', request: retrieving('') },
  ]),
  refused(400, 'INVALIDNFTID', 0, [
    { name: 'a negative id', request: retrieving(`<Bytes>-7_${NOW}_15</Bytes>`) },
    { name: 'an id with a space', request: retrieving(`<Bytes> 7_${NOW}_15</Bytes>`) },
    { name: 'an id beyond u32', request: retrieving(`<Bytes>4294967303_${NOW}_15</Bytes>`) },
    { name: 'only the opening tag', request: retrieving(`<Bytes>${NFT}_${NOW}_15`) },
    { name: 'a wrong id before a wrong block', request: retrieving(`<Bytes>x_x_15</Bytes>`) },
  ]),
  refused(400, 'INVALIDAUTHTOKEN', 0, [
    { name: 'no block', request: retrieving(`<Bytes>${NFT}__15</Bytes>`) },
    { name: 'a validity that is no number', request: retrieving(`<Bytes>${NFT}_${NOW}_long</Bytes>`) },
    { name: 'only the closing tag', request: retrieving(`${NFT}_${NOW}_15</Bytes>`) },
  ]),
  refused(400, 'EXPIREDREQUEST', NFT, [
    { name: 'one block late', request: retrieving(`<Bytes>${NFT}_${NOW - 16}_15</Bytes>`) },
    { name: 'three blocks ahead', request: retrieving(`<Bytes>${NFT}_${NOW + 3}_15</Bytes>`) },
    { name: '21 blocks', request: retrieving(`<Bytes>${NFT}_${NOW}_21</Bytes>`) },
    {
      name: 'a late one, before its bad signature and a missing NFT',
      request: retrieving(`<Bytes>${NFT}_1_15</Bytes>`, { signature: '' }),
      nft: null,
    },
  ]),
  refused(400, 'INVALIDSIGNERSIGNATURE', NFT, [
    { name: 'no signature', request: retrieving(RIGHT_DATA, { signature: '' }), nft: null },
    { name: 'no 0x', request: retrieving(RIGHT_DATA, { signature: retrieving().signature.slice(2) }) },
    { name: 'an odd digit more', request: retrieving(RIGHT_DATA, { signature: `${retrieving().signature}0` }) },
  ]),
  refused(400, 'SIGNERSIGVERIFICATIONFAILED', NFT, [
    { name: 'a stranger’s', request: retrieving(RIGHT_DATA, { signature: sign(stranger, RIGHT_DATA) }), nft: null },
    { name: 'one without tags', request: retrieving(RIGHT_DATA, { signature: sign(owner, `${NFT}_${NOW}_15`) }) },
    {
      name: 'one of another NFT',
      request: retrieving(RIGHT_DATA, { signature: sign(owner, `<Bytes>8_${NOW}_15</Bytes>`) }),
    },
    {
      name: 'another account’s',
      request: retrieving(RIGHT_DATA, { requester_address: toSs58(delegatee.account) }),
    },
  ]),
  refused(400, 'INVALIDNFTID', NFT, [{ name: 'an NFT that does not exist', request: retrieving(), nft: null }]),
  refused(400, 'IDISNOTASECRETNFT', NFT, [
    { name: 'a secret of a capsule', request: retrieving(), nft: { ...SYNCING, isSecret: false } },
  ]),
  refused(400, 'IDISNOTACAPSULE', NFT, [
    { name: 'a capsule of a secret', request: retrieving(), kind: 'capsule', nft: { ...SYNCED, isCapsule: false } },
  ]),
  refused(403, 'NOTSYNCED', NFT, [
    { name: 'a secret that is syncing', request: retrieving(), nft: { ...SYNCED, isSyncingSecret: true } },
    {
      name: 'a capsule that is syncing',
      request: retrieving(),
      kind: 'capsule',
      nft: { ...SYNCED, isSyncingCapsule: true },
    },
    { name: 'a stranger, too', request: retrieving(RIGHT_DATA, {}, stranger), nft: SYNCING },
  ]),
  refused(400, 'REQUESTERVERIFICATIONFAILED', NFT, [
    { name: 'a stranger as the owner', request: retrieving(RIGHT_DATA, {}, stranger) },
    { name: 'the delegatee as the owner', request: retrieving(RIGHT_DATA, {}, delegatee) },
    { name: 'the owner as the delegatee', request: retrieving(RIGHT_DATA, { requester_type: 'DELEGATEE' }) },
    { name: 'a delegatee no more', request: byDelegatee, nft: undelegated },
    { name: 'a rentee whose rental has ended', request: byRentee },
    { name: 'the owner as a rentee', nft: rented, request: retrieving(RIGHT_DATA, { requester_type: 'RENTEE' }) },
  ]),
].flat()

describe('a request for a share', () => {
  describe('is authorised for', () => {
    for (const { requester = owner.account, ...row } of RIGHT) {
      it(row.name, async () => {
        assert.deepEqual(await verify(row), { key: { kind: row.kind ?? 'secret', nftId: NFT }, requester })
      })
    }
  })

  describe('is refused with', () => {
    for (const { status, http, nftId, ...row } of REFUSED) {
      it(`${status} for ${row.name}`, async () => {
        await assert.rejects(verify(row), { name: 'OwnerRequestError', status, httpStatus: http, nftId })
      })
    }
  })

  it('is refused with 503 when the chain cannot be asked', async () => {
    const facts = { ...chainWith(SYNCED), nft: () => Promise.reject(new Error('socket closed')) }
    await assert.rejects(verifyRetrieveRequest('secret', retrieving(), facts, { signal }), {
      status: 'CHAINUNAVAILABLE',
      httpStatus: 503,
    })
  })

  it('is built by the client as the contract writes it', async () => {
    const key = { kind: 'secret', nftId: NFT } as const
    const { signature, ...fields } = retrieveRequest({ requester: delegatee, role: 'DELEGATEE', key, block: NOW })
    assert.deepEqual(fields, {
      requester_address: toSs58(delegatee.account),
      requester_type: 'DELEGATEE',
      data: RIGHT_DATA,
    })
    assert.deepEqual(await verify({ request: { ...fields, signature } }), { key, requester: delegatee.account })
  })

  it('has an error ready for a share that is not held', () => {
    const error = keyNotExist({ kind: 'capsule', nftId: NFT })
    assert.deepEqual([error.status, error.httpStatus, error.nftId], ['KEYNOTEXIST', 404, NFT])
    assert.match(error.message, /capsule\/7/)
  })
})
