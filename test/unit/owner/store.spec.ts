import assert from 'node:assert/strict'
import { generateKeyPairSync, sign as nodeSign } from 'node:crypto'
import { bridge } from '@polkadot/wasm-crypto'
import { toHex, toSs58, utf8 } from '../../../src/crypto/index.js'
import type { NftFacts, ShareKind } from '../../../src/domain/index.js'
import {
  type AuthorisedStore,
  alreadyHeld,
  type OwnerRequestStatus,
  ownerStoreRequest,
  type StoreOptions,
  type StoreRequest,
  verifyStoreRequest,
} from '../../../src/owner/index.js'
import { MadeArrays } from '../../support/made-arrays.js'
import {
  chainWith,
  NFT,
  NOW,
  owner,
  SHARE,
  SYNCED,
  SYNCING,
  sign,
  storing,
  stranger,
  temporarySigner,
} from './fixture.js'

const signal = new AbortController().signal
const SIGNER = toSs58(temporarySigner.account)
/** The owner's account with prefix 0. */
const OWNER_ON_POLKADOT = '1ZGzHnrAgt3eKQvtZXgDPE9aduT4UWJH4fUL9HHdfWk6nx3'

interface Row {
  readonly name: string
  readonly request: StoreRequest
  readonly kind?: ShareKind
  /** A secret and a capsule that both wait for shares, when not given; null when there is no NFT. */
  readonly nft?: NftFacts | null
  readonly held?: StoreOptions['held']
  /** When not given, as the NFT is. */
  readonly awaitsConfirmation?: boolean
}

interface RefusedRow extends Row {
  readonly status: OwnerRequestStatus
  readonly http: number
  /** In the error, which is 0 unless the data could be read. */
  readonly nftId?: number
}

function verify({ request, kind = 'secret', nft = SYNCING, held }: Omit<Row, 'name'>): Promise<AuthorisedStore> {
  return verifyStoreRequest(kind, request, chainWith(nft ?? undefined), held ? { signal, held } : { signal })
}

function signer(text: string, fields?: Partial<StoreRequest>): StoreRequest {
  return storing({ signer: text }, fields)
}

function data(text: string, fields?: Partial<StoreRequest>): StoreRequest {
  return storing({ data: text }, fields)
}

const held = (answer: 'absent' | 'pending' | 'same' | 'different') => async () => answer

const RIGHT: readonly Row[] = [
  { name: 'a secret', request: storing() },
  { name: 'a capsule', request: storing(), kind: 'capsule' },
  {
    name: 'a secret of an NFT whose capsule is synced',
    request: storing(),
    nft: { ...SYNCING, isSyncingCapsule: false },
  },
  { name: 'an owner address of another prefix', request: storing({}, { owner_address: OWNER_ON_POLKADOT }) },
  { name: 'texts without tags', request: storing({ signer: `${SIGNER}_${NOW}_15`, data: `7_${SHARE}_${NOW}_15` }) },
  { name: 'parts behind the signer’s third', request: signer(`<Bytes>${SIGNER}_${NOW}_15_more_and_more</Bytes>`) },
  { name: 'the signer’s last block', request: signer(`<Bytes>${SIGNER}_${NOW - 15}_15</Bytes>`) },
  { name: 'the signer’s longest validity', request: signer(`<Bytes>${SIGNER}_${NOW}_20</Bytes>`) },
  { name: 'a signer two blocks ahead', request: signer(`<Bytes>${SIGNER}_${NOW + 2}_15</Bytes>`) },
  { name: 'the data’s last block', request: data(`<Bytes>7_${SHARE}_${NOW - 15}_15</Bytes>`) },
  { name: 'the data’s longest validity', request: data(`<Bytes>7_${SHARE}_${NOW - 20}_20</Bytes>`) },
  { name: 'data two blocks ahead', request: data(`<Bytes>7_${SHARE}_${NOW + 2}_15</Bytes>`) },
  { name: 'no validity but this block', request: data(`<Bytes>7_${SHARE}_${NOW}_0</Bytes>`) },
  { name: 'numbers with a plus and zeros', request: data(`<Bytes>+007_${SHARE}_+${NOW}_00015</Bytes>`) },
  { name: 'upper-case signatures', request: upperCaseSignatures() },
  { name: 'the shortest share', request: data(`<Bytes>7_${'s'.repeat(16)}_${NOW}_15</Bytes>`) },
  { name: 'the longest share', request: data(`<Bytes>7_${'s'.repeat(3000)}_${NOW}_15</Bytes>`) },
  { name: 'a short share of wide characters', request: data(`<Bytes>7_${'é'.repeat(8)}_${NOW}_15</Bytes>`) },
  { name: 'the same share after the last confirmation', request: storing(), nft: SYNCED, held: held('same') },
  {
    name: 'the same share again when the block that makes one of it is not taken in',
    request: storing(),
    nft: SYNCED,
    held: held('pending'),
    awaitsConfirmation: true,
  },
]

const REFUSED: readonly RefusedRow[] = [
  refused(422, 'INVALIDBODY', 0, [
    { name: 'an owner address that is none', request: storing({}, { owner_address: 'owner' }) },
    { name: 'an owner address in hexadecimal', request: storing({}, { owner_address: owner.account }) },
  ]),
  refused(400, 'INVALIDSIGNERADDRESS', NFT, [
    { name: 'a signer of two parts', request: signer(`<Bytes>${SIGNER}_${NOW}</Bytes>`) },
    { name: 'a signer that is no address', request: signer(`<Bytes>${SIGNER.slice(1)}_${NOW}_15</Bytes>`) },
    { name: 'a signer with only the opening tag', request: signer(`<Bytes>${SIGNER}_${NOW}_15`) },
    { name: 'a signer with only the closing tag', request: signer(`${SIGNER}_${NOW}_15</Bytes>`) },
    { name: 'a signer’s block with a space', request: signer(`<Bytes>${SIGNER}_ ${NOW}_15</Bytes>`) },
    { name: 'a signer’s validity that is negative', request: signer(`<Bytes>${SIGNER}_${NOW}_-1</Bytes>`) },
    { name: 'an empty signer', request: signer('') },
  ]),
  refused(400, 'EXPIREDSIGNER', NFT, [
    { name: 'a signer one block late', request: signer(`<Bytes>${SIGNER}_${NOW - 16}_15</Bytes>`) },
    { name: 'a signer three blocks ahead', request: signer(`<Bytes>${SIGNER}_${NOW + 3}_15</Bytes>`) },
    { name: 'a signer for 21 blocks', request: signer(`<Bytes>${SIGNER}_${NOW}_21</Bytes>`) },
    { name: 'a signer’s block that would overflow', request: signer(`<Bytes>${SIGNER}_4294967295_15</Bytes>`) },
  ]),
  refused(400, 'INVALIDSIGNERSIGNATURE', NFT, [
    { name: 'no permission', request: storing({}, { signersig: '' }) },
    { name: 'a permission without 0x', request: storing({}, { signersig: storing().signersig.slice(2) }) },
    { name: 'a permission that is cut short', request: storing({}, { signersig: storing().signersig.slice(0, -2) }) },
    { name: 'a permission that is too long', request: storing({}, { signersig: `${storing().signersig}00` }) },
    { name: 'a permission with a line end', request: storing({}, { signersig: `${storing().signersig}\n` }) },
    { name: 'a permission that is not hexadecimal', request: storing({}, { signersig: `0x${'g'.repeat(128)}` }) },
  ]),
  refused(400, 'SIGNERSIGVERIFICATIONFAILED', NFT, [
    { name: 'a permission by a stranger', request: permission(sign(stranger, storing().signer_address)) },
    { name: 'a permission over the text without tags', request: permission(sign(owner, `${SIGNER}_${NOW}_15`)) },
    { name: 'a permission over another block', request: permission(sign(owner, `<Bytes>${SIGNER}_999_15</Bytes>`)) },
    { name: 'a permission of zeroes', request: permission(`0x${'00'.repeat(64)}`) },
    { name: 'an ed25519 permission', request: ed25519Permission() },
  ]),
  refused(400, 'INVALIDDATASIGNATURE', NFT, [
    { name: 'no signature', request: storing({}, { signature: '' }) },
    { name: 'a signature without 0x', request: storing({}, { signature: storing().signature.slice(2) }) },
    { name: 'a signature with 0X', request: storing({}, { signature: storing().signature.replace('0x', '0X') }) },
  ]),
  refused(400, 'DATASIGVERIFICATIONFAILED', NFT, [
    { name: 'a signature by the owner', request: storing({}, { signature: sign(owner, storing().data) }) },
    {
      name: 'a signature without tags',
      request: storing({}, { signature: sign(temporarySigner, `7_${SHARE}_1000_15`) }),
    },
    { name: 'a signature over a share', request: storing({}, { signature: sign(temporarySigner, SHARE) }) },
  ]),
  refused(400, 'INVALIDDATAFORMAT', 0, [
    { name: 'data of three parts', request: data(`<Bytes>7_${NOW}_15</Bytes>`) },
    { name: 'data of five parts', request: data(`<Bytes>7_${SHARE}_${NOW}_15_</Bytes>`) },
    { name: 'a share with an underscore', request: data(`<Bytes>7_${SHARE}_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'empty data', request: data('') },
    { name: 'tags around nothing', request: data('<Bytes></Bytes>') },
  ]),
  refused(400, 'INVALIDNFTID', 0, [
    { name: 'an id in hexadecimal', request: data(`<Bytes>0x7_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'no id', request: data(`<Bytes>_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'a plus for an id', request: data(`<Bytes>+_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'an id beyond u32', request: data(`<Bytes>4294967296_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'a fraction for an id', request: data(`<Bytes>7.0_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'an id with an exponent', request: data(`<Bytes>7e0_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'an id in other digits', request: data(`<Bytes>٧_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'only the opening tag', request: data(`<Bytes>7_${SHARE}_${NOW}_15`) },
    { name: 'a wrong id before a wrong share', request: data(`<Bytes>x__${NOW}_15</Bytes>`) },
  ]),
  refused(400, 'INVALIDKEYSHARE', 0, [{ name: 'no share', request: data(`<Bytes>7__${NOW}_x</Bytes>`) }]),
  refused(400, 'KEYSHAREISTOOSHORT', 0, [
    { name: 'a share of 15 bytes', request: data(`<Bytes>7_${'s'.repeat(15)}_x_15</Bytes>`) },
  ]),
  refused(400, 'KEYSHAREISTOOLONG', 0, [
    { name: 'a share of 3001 bytes', request: data(`<Bytes>7_${'s'.repeat(3001)}_x_15</Bytes>`) },
    { name: 'a share of 2000 wide characters', request: data(`<Bytes>7_${'é'.repeat(2000)}_${NOW}_15</Bytes>`) },
    { name: 'a share of 65536 + 16 bytes', request: data(`<Bytes>7_${'s'.repeat(65_552)}_${NOW}_15</Bytes>`) },
  ]),
  refused(400, 'INVALIDAUTHTOKEN', 0, [
    { name: 'a block with a space', request: data(`<Bytes>7_${SHARE}_${NOW} _15</Bytes>`) },
    { name: 'no validity', request: data(`<Bytes>7_${SHARE}_${NOW}_</Bytes>`) },
    { name: 'only the closing tag', request: data(`7_${SHARE}_${NOW}_15</Bytes>`) },
    { name: 'a validity beyond u32', request: data(`<Bytes>7_${SHARE}_${NOW}_4294967311</Bytes>`) },
  ]),
  refused(400, 'INVALIDNFTID', NFT, [{ name: 'an NFT that does not exist', request: storing(), nft: null }]),
  refused(400, 'IDISNOTASECRETNFT', NFT, [
    { name: 'a secret of a capsule', request: storing(), nft: { ...SYNCING, isSecret: false, isSyncingSecret: false } },
  ]),
  refused(400, 'IDISNOTACAPSULE', NFT, [
    { name: 'a capsule of a secret', request: storing(), kind: 'capsule', nft: { ...SYNCING, isCapsule: false } },
  ]),
  refused(403, 'NOTSYNCING', NFT, [
    { name: 'a secret that is synced', request: storing(), nft: { ...SYNCING, isSyncingSecret: false } },
    {
      name: 'a capsule that is synced',
      request: storing(),
      kind: 'capsule',
      nft: { ...SYNCING, isSyncingCapsule: false },
    },
    { name: 'a synced secret of which no share is held', request: storing(), nft: SYNCED, held: held('absent') },
    {
      name: 'another share for a synced capsule',
      request: storing(),
      kind: 'capsule',
      nft: SYNCED,
      held: held('different'),
    },
    { name: 'a synced secret of another owner', request: storing({}, {}, stranger), nft: SYNCED },
  ]),
  refused(400, 'EXPIREDREQUEST', NFT, [
    { name: 'data one block late', request: data(`<Bytes>7_${SHARE}_${NOW - 16}_15</Bytes>`) },
    { name: 'data three blocks ahead', request: data(`<Bytes>7_${SHARE}_${NOW + 3}_15</Bytes>`) },
    { name: 'data for 21 blocks', request: data(`<Bytes>7_${SHARE}_${NOW}_21</Bytes>`) },
  ]),
  refused(401, 'OWNERSHIPVERIFICATIONFAILED', NFT, [
    { name: 'an NFT of another owner', request: storing({}, {}, stranger) },
    {
      name: 'a pending share of another owner',
      request: storing({}, {}, stranger),
      nft: SYNCED,
      held: held('pending'),
    },
    { name: 'a share guessed by another owner', request: storing({}, {}, stranger), nft: SYNCED, held: held('same') },
    {
      name: 'a share tried by another owner',
      request: storing({}, {}, stranger),
      nft: SYNCED,
      held: held('different'),
    },
  ]),
  refused(409, 'NFTIDEXISTS', NFT, [
    { name: 'another share for a synced secret', request: storing(), nft: SYNCED, held: held('different') },
  ]),
].flat()

/** In the contract's order: each request is wrong in this and in all that follows, except for the data. */
const ORDER: readonly RefusedRow[] = orderOfChecks()

function orderOfChecks(): RefusedRow[] {
  const late = `<Bytes>${NFT}_${SHARE}_1_15</Bytes>`
  const lateSigner = `<Bytes>${SIGNER}_1_15</Bytes>`
  const [wrong, malformed] = [`0x${'11'.repeat(64)}`, '0x']
  const bare = { ...SYNCED, owner: stranger.account, isSecret: false }
  const row = (status: OwnerRequestStatus, request: StoreRequest, nft: NftFacts | null, http = 400): RefusedRow => ({
    name: `${status} is found first`,
    request,
    nft,
    status,
    http,
    nftId: NFT,
  })
  return [
    row(
      'INVALIDSIGNERADDRESS',
      storing({ data: late, signer: '1' }, { signersig: malformed, signature: malformed }),
      null,
    ),
    row(
      'EXPIREDSIGNER',
      storing({ data: late, signer: lateSigner }, { signersig: malformed, signature: malformed }),
      null,
    ),
    row('INVALIDSIGNERSIGNATURE', storing({ data: late }, { signersig: malformed, signature: malformed }), null),
    row('SIGNERSIGVERIFICATIONFAILED', storing({ data: late }, { signersig: wrong, signature: malformed }), null),
    row('INVALIDDATASIGNATURE', storing({ data: late }, { signature: malformed }), null),
    row('DATASIGVERIFICATIONFAILED', storing({ data: late }, { signature: wrong }), null),
    row('INVALIDNFTID', storing({ data: late }), null),
    row('IDISNOTASECRETNFT', storing({ data: late }), bare),
    row('NOTSYNCING', storing({ data: late }), { ...bare, isSecret: true }, 403),
    row('EXPIREDREQUEST', storing({ data: late }), { ...bare, isSecret: true, isSyncingSecret: true }),
  ]
}

function refused(http: number, status: OwnerRequestStatus, nftId: number, rows: readonly Row[]): RefusedRow[] {
  return rows.map((row) => ({ ...row, http, status, nftId }))
}

function permission(signersig: string): StoreRequest {
  return storing({}, { signersig })
}

function upperCaseSignatures(): StoreRequest {
  const { signature, signersig, ...request } = storing()
  const upperCase = (hex: string): string => `0x${hex.slice(2).toUpperCase()}`
  return { ...request, signature: upperCase(signature), signersig: upperCase(signersig) }
}

function ed25519Permission(): StoreRequest {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const account = toHex(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)))
  const { signer_address } = storing()
  const signersig = toHex(nodeSign(undefined, utf8(signer_address), privateKey))
  return storing({}, { owner_address: toSs58(account), signersig })
}

describe('an owner’s request to store a share', () => {
  describe('is authorised with', () => {
    for (const row of RIGHT) {
      it(row.name, async () => {
        const authorised = await verify(row)
        assert.deepEqual(authorised, {
          key: { kind: row.kind ?? 'secret', nftId: NFT },
          share: utf8(row.request.data.split('_')[1] ?? ''),
          owner: owner.account,
          awaitsConfirmation: row.awaitsConfirmation ?? row.nft !== SYNCED,
        })
      })
    }
  })

  describe('is refused with', () => {
    for (const { status, http, nftId, ...row } of [...REFUSED, ...ORDER]) {
      it(`${status} for ${row.name}`, async () => {
        const code = `owner/${status.toLowerCase()}`
        await assert.rejects(verify(row), { name: 'OwnerRequestError', status, httpStatus: http, nftId, code })
      })
    }

    it('the error in the data, whatever else is wrong', async () => {
      const malformed = { signer_address: '', signature: '', signersig: '' }
      const request = storing({ data: `<Bytes>x_${SHARE}_1_15</Bytes>` }, malformed)
      await assert.rejects(verify({ request, nft: null }), { status: 'INVALIDNFTID', nftId: 0 })
    })

    it('NOTSYNCING after the last confirmation when nobody says what is held', async () => {
      await assert.rejects(verify({ request: storing(), nft: SYNCED }), { status: 'NOTSYNCING' })
    })
  })

  it('leaves no bytes of the share but those that it hands over, and none where it is refused', async () => {
    for (const row of [...RIGHT, ...REFUSED, ...ORDER]) {
      const made = new MadeArrays()
      const given = await made.during(() =>
        verify(row).then(
          ({ share }) => [share],
          () => [],
        ),
      )
      assert.deepEqual(made.holding(utf8(SHARE), given), [], row.name)
      assert.deepEqual(made.holding(utf8('s'.repeat(15)), given), [], row.name)
    }
  })

  it('leaves no share in the memory of WebAssembly, in which other signatures are checked', async () => {
    await verify({ request: storing() })
    const { wasm } = bridge
    const memory = Buffer.from(wasm?.memory?.buffer ?? assert.fail('It is not there.'))
    assert.ok(memory.includes(SIGNER), 'the address that its owner has signed was checked there')
    assert.ok(!memory.includes(SHARE))
  })

  it('takes text for text, not for hexadecimal: 0x41 is not the letter A', async () => {
    const hexadecimal = `0x${Buffer.from(SHARE).toString('hex')}`
    const signature = sign(temporarySigner, SHARE)
    await assert.rejects(verify({ request: storing({ data: `7_${hexadecimal}_${NOW}_15` }, { signature }) }), {
      status: 'DATASIGVERIFICATIONFAILED',
    })
    const { share } = await verify({ request: storing({ data: `7_${hexadecimal}_${NOW}_15` }) })
    assert.deepEqual(share, utf8(hexadecimal))
  })

  it('asks the chain for the NFT only once both signatures are right', async () => {
    let asked = 0
    const facts = {
      ...chainWith(SYNCING),
      nft: async () => {
        asked += 1
        return SYNCING
      },
    }
    const request = storing({}, { signature: sign(stranger, storing().data) })
    await assert.rejects(verifyStoreRequest('secret', request, facts, { signal }))
    assert.equal(asked, 0)
    await verifyStoreRequest('secret', storing(), facts, { signal })
    assert.equal(asked, 1)
  })

  it('is refused with 503 when the chain cannot be asked', async () => {
    const cause = new Error('socket closed')
    const facts = { ...chainWith(SYNCING), nft: () => Promise.reject(cause) }
    await assert.rejects(verifyStoreRequest('secret', storing(), facts, { signal }), {
      status: 'CHAINUNAVAILABLE',
      httpStatus: 503,
      nftId: NFT,
      cause,
    })
  })

  it('ends with the caller’s reason when the caller gives up', async () => {
    const reason = new Error('enough')
    const facts = { ...chainWith(SYNCING), nft: () => Promise.reject(new Error('aborted')) }
    const aborted = { signal: AbortSignal.abort(reason) }
    await assert.rejects(verifyStoreRequest('secret', storing(), facts, aborted), reason)
  })

  it('is built by the client as the contract writes it', async () => {
    const key = { kind: 'capsule', nftId: NFT } as const
    const request = ownerStoreRequest({ owner, temporarySigner, key, share: SHARE, block: NOW })
    const { signature, signersig, ...texts } = request
    assert.deepEqual(texts, {
      owner_address: toSs58(owner.account),
      signer_address: `<Bytes>${SIGNER}_${NOW}_15</Bytes>`,
      data: `<Bytes>${NFT}_${SHARE}_${NOW}_15</Bytes>`,
    })
    assert.notEqual(signature, signersig)
    const authorised = await verify({ request, kind: 'capsule' })
    assert.deepEqual(authorised.key, key)
    const longer = ownerStoreRequest({ owner, temporarySigner, key, share: SHARE, block: NOW, validity: 21 })
    await assert.rejects(verify({ request: longer, kind: 'capsule' }), { status: 'EXPIREDSIGNER' })
  })

  it('has an error ready for another share of a secret', () => {
    const error = alreadyHeld({ kind: 'secret', nftId: NFT })
    assert.deepEqual([error.status, error.httpStatus, error.nftId], ['NFTIDEXISTS', 409, NFT])
  })
})
