import assert from 'node:assert/strict'
import substrate from '@polkadot/types-support/metadata/v14/substrate-hex'
import { type Chain, type ChainCall, connectChain } from '../../../src/chain/index.js'
import { type AccountSigner, accountSigner, toSs58 } from '../../../src/crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../../../src/devchain/index.js'
import { type BlockTriggers, silentLogger } from '../../../src/domain/index.js'
import { FOREIGN_CHAINS } from '../../support/foreign-chains.js'
import { splicedMetadata } from '../../support/foreign-metadata.js'

const SLOTS = [0, 1, 2, 3, 4]
const enclaves = SLOTS.map((slot) => accountSigner(new Uint8Array(32).fill(1 + slot)))
const operators = SLOTS.map((slot) => accountSigner(new Uint8Array(32).fill(11 + slot)))
const owner = developmentSigner('Bob')
const committee = developmentSigner('Alice')
const signal = new AbortController().signal

const CHAINS = {
  'its own metadata of generation 1': { generation: 1, metadata: () => undefined },
  'its own metadata of generation 2': { generation: 2, metadata: () => undefined },
  ...FOREIGN_CHAINS,
} as const

function substrateWithMovedPallets(): Uint8Array {
  return splicedMetadata(substrate, { pallets: { NFT: 229, TEE: 234 } })
}

/** What a node does with any chain, on one that makes a block whenever there is something to put into it. */
for (const [name, { generation, metadata }] of Object.entries(CHAINS)) {
  describe(`a node on the development chain with ${name}`, () => {
    let server: DevelopmentChain
    let chain: Chain

    before(async () => {
      server = await startDevelopmentChain({
        generation,
        metadata: metadata(),
        blockTime: 'instant',
        endowed: [...enclaves, ...operators].map(({ account }) => account),
      })
      chain = await connectChain({ endpoints: [server.url], logger: silentLogger })
    })

    after(async () => {
      await chain.close()
      await server.stop()
    })

    const send = (signer: AccountSigner, pallet: string, method: string, ...args: unknown[]) =>
      chain.submit(signer, { pallet, method, args }, { signal })

    const mint = () => send(owner, 'nft', 'createSecretNft', 'data', 'secret data', 0, null, false)

    const decide = (method: string, ...args: unknown[]) => {
      const call: ChainCall = { pallet: 'tee', method, args }
      return chain.submit(committee, chain.asCommittee(call), { signal })
    }

    async function next(after: number, wanted: (block: BlockTriggers) => boolean): Promise<BlockTriggers> {
      for await (const block of chain.follow(after, { signal: AbortSignal.timeout(5000) }))
        if (wanted(block)) return block
      throw new Error('The chain ended.')
    }

    it('reads the registry, mints, confirms and is told that the share is synced', async () => {
      assert.equal(chain.generation, generation)
      await decide('createCluster', ...(generation === 2 ? ['Public'] : []))
      for (const [slot, operator] of operators.entries()) {
        const account = enclaves[slot]?.account ?? '0x'
        await send(operator, 'tee', 'registerEnclave', toSs58(account), `https://enclave-${slot}.example`)
        await decide('assignEnclave', toSs58(operator.account), 0, ...(generation === 2 ? [slot] : []))
      }
      const minted = await mint()
      await next(minted.block.number - 1, () => true)
      assert.deepEqual(
        chain
          .registry()
          .clusters()
          .map(({ id, type, seats }) => [id, type, seats.map(({ account, slot }) => [account, slot])]),
        [[0, 'public', enclaves.map(({ account }, slot) => [account, slot])]],
      )
      const key = { kind: 'secret', nftId: 0 } as const
      const answers = await Promise.all(enclaves.map((enclave) => chain.confirm(enclave, key, { signal })))
      assert.deepEqual(
        answers.map(({ outcome }) => outcome),
        SLOTS.map(() => 'confirmed'),
      )
      const { triggers } = await next(minted.block.number, (block) => block.triggers.length > 0)
      assert.deepEqual(triggers, [{ type: 'synced', kind: 'secret', nftId: 0, cluster: 0 }])
      const [first] = enclaves
      assert.ok(first !== undefined)
      assert.equal((await chain.confirm(first, key, { signal })).outcome, 'already-synced')
      const { number } = chain.finalised()
      const each = await Promise.all(Array.from({ length: number }, (_, at) => chain.triggersIn(at + 1, { signal })))
      assert.deepEqual(each.flat(), triggers)
      assert.equal(await chain.triggersIn(number + 1, { signal }), undefined)
    })

    it('goes on through a runtime upgrade', async () => {
      const { block } = await mint()
      server.upgrade({ metadata: generation === 1 ? 2 : substrateWithMovedPallets() })
      server.sealBlock()
      server.sealBlock()
      const key = { kind: 'secret', nftId: 1 } as const
      const answers = await Promise.all(enclaves.map((enclave) => chain.confirm(enclave, key, { signal })))
      assert.deepEqual(
        answers.map(({ outcome }) => outcome),
        SLOTS.map(() => 'confirmed'),
      )
      const { triggers } = await next(block.number, (each) => each.triggers.length > 0)
      assert.deepEqual(triggers, [{ type: 'synced', kind: 'secret', nftId: 1, cluster: 0 }])
      assert.equal(chain.generation, 2)
      assert.equal(chain.registry().seatAt(0, 4)?.account, enclaves[4]?.account)
      const all: unknown[] = []
      for await (const each of chain.follow(0, { signal: AbortSignal.timeout(5000) })) {
        all.push(...each.triggers.map((trigger) => trigger.nftId))
        if (each.block.number === chain.finalised().number) break
      }
      assert.deepEqual(all, [0, 1])
    })
  })
}
