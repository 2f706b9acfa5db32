import assert from 'node:assert/strict'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import type { AccountSigner } from '../../../src/crypto/index.js'
import type { ShareKey, ShareKind } from '../../../src/domain/index.js'
import { account, ChainWorld, enclaveOf, logger, owner, signal } from './fixture.js'
import { Wire } from './wire.js'

for (const generation of [1, 2] as const) {
  describe(`confirmations in generation ${generation}`, () => {
    let world: ChainWorld
    let wire: Wire
    let chain: Chain

    before(async function () {
      this.timeout(60_000)
      world = await ChainWorld.start(generation, 2)
    })

    after(() => world.stop())

    beforeEach(async () => {
      wire = await Wire.start(world.server.url)
    })

    afterEach(async () => {
      await chain.close()
      await wire.stop()
    })

    const connect = async () => {
      chain = await connectChain({ endpoints: [wire.url], logger })
    }

    const submitted = () => wire.requests.filter((method) => method === 'author_submitAndWatchExtrinsic').length

    const confirm = async (signer: AccountSigner, kind: ShareKind, nftId: number) =>
      (await chain.confirm(signer, { kind, nftId }, { signal })).outcome

    /** One of each kind of NFT, with the answer that the first enclave of the first cluster must get. */
    async function everyCase(): Promise<[ShareKey, string][]> {
      const [fresh, confirmed, nearly, synced, foreign] = await Promise.all(
        Array.from({ length: 5 }, () => world.mint('secret')),
      )
      const capsule = await world.mint('capsule')
      const by = (cluster: number, slot: number, nftId = 0) =>
        world.chain.confirm(enclaveOf(cluster, slot), { kind: 'secret', nftId }, { signal })
      await Promise.all([
        by(0, 0, confirmed),
        ...[1, 2, 3, 4].map((slot) => by(0, slot, nearly)),
        world.sync('secret', synced ?? 0, 1),
        by(1, 0, foreign),
      ])
      const secret = (nftId = 0): ShareKey => ({ kind: 'secret', nftId })
      return [
        [secret(nearly), 'confirmed'],
        [secret(confirmed), 'already-confirmed'],
        [secret(fresh), 'confirmed'],
        [secret(fresh), 'already-confirmed'],
        [secret(synced), 'already-synced'],
        [secret(foreign), 'wrong-cluster'],
        [secret(1_000_000), 'unknown-nft'],
        [secret(capsule), 'wrong-kind'],
        [{ kind: 'capsule', nftId: fresh ?? 0 }, 'wrong-kind'],
        [{ kind: 'capsule', nftId: capsule }, 'confirmed'],
      ]
    }

    const METADATA: readonly (readonly [string, (metadata: string) => string])[] = [
      ['a batch that goes on after a failure', (metadata) => metadata],
      ['batches that stop at a failure', (metadata) => renamed(metadata, 'force_batch')],
      ['a chain without batches', (metadata) => renamed(renamed(metadata, 'force_batch'), 'batch')],
    ]

    for (const [name, change] of METADATA) {
      it(`answers each confirmation by itself, with ${name}`, async () => {
        wire.tamper = (result, { method }) => (method === 'state_getMetadata' ? change(String(result)) : result)
        await connect()
        const cases = await everyCase()
        const answers = await Promise.all(cases.map(([key]) => chain.confirm(enclaveOf(0, 0), key, { signal })))
        assert.deepEqual(
          answers.map(({ outcome }) => outcome),
          cases.map(([, outcome]) => outcome),
        )
        for (const { block } of answers) assert.equal(typeof block?.number, 'number')
        if (name === METADATA[0]?.[0]) assert.equal(submitted(), 1)
      }).timeout(60_000)
    }

    it('answers accounts without a seat and without funds', async () => {
      await connect()
      const nfts = await Promise.all([0, 1, 2].map(() => world.mint('secret')))
      const all = (signer: AccountSigner) => Promise.all(nfts.map((nftId) => confirm(signer, 'secret', nftId)))
      assert.deepEqual(await all(owner), Array(3).fill('not-registered'))
      assert.deepEqual(await all(account(77_777)), Array(3).fill('no-funds'))
      assert.equal(await confirm(account(77_777), 'secret', 0), 'no-funds')
    }).timeout(60_000)

    it('sends a hundred of one account in two transactions, beside other calls of it', async () => {
      await connect()
      const ids = await Promise.all(Array.from({ length: 100 }, () => world.mint('secret')))
      const other = { pallet: 'system', method: 'remark', args: ['0x00'] }
      const [outcomes] = await Promise.all([
        Promise.all(ids.map((nftId) => confirm(enclaveOf(0, 3), 'secret', nftId))),
        chain.submit(enclaveOf(0, 3), other, { signal }),
        chain.submit(enclaveOf(0, 3), other, { signal }),
      ])
      assert.deepEqual(outcomes, Array(100).fill('confirmed'))
      assert.equal(submitted(), 4)
    }).timeout(60_000)
  })
}

/** Metadata in which a call goes by another name. */
function renamed(metadata: string, call: string): string {
  const encode = (name: string) => Buffer.concat([Buffer.of(name.length << 2), Buffer.from(name)]).toString('hex')
  const parts = metadata.split(encode(call))
  assert.ok(parts.length > 1)
  return parts.join(encode(call.replace('batch', 'other')))
}
