import assert from 'node:assert/strict'
import { type BlockHash, Registry, synchronisationBarrier } from '../../../src/domain/index.js'
import { tokenFrom } from '../../../src/share/messages.js'
import type { ChainView } from '../../../src/share/party.js'
import { BARRIER_REFUSALS, RefusalError } from '../../../src/share/refusals.js'
import { checkToken } from '../../../src/share/tokens.js'
import { soon } from '../share/fixture.js'
import { registryFrom, toBytes, vectorsOf } from './vectors.js'

describe('the test vectors of tokens', () => {
  const { blockHashes, cases } = vectorsOf('share/1/vectors/tokens.json')
  const hashes = new Map<number, BlockHash>(Object.entries(blockHashes).map(([number, hash]) => [Number(number), hash]))
  const hashOf = (number: number) => hashes.get(number) ?? assert.fail(`the vectors have no block ${number}`)

  for (const { name, now, token, outcome } of cases) {
    it(`${name}: ${outcome}`, async () => {
      const chain: ChainView = {
        genesisHash: hashOf(0),
        finalised: () => ({ number: now, hash: hashOf(now) }),
        finalisedAgeMs: () => 0,
        blockHash: async (number) => hashOf(number),
        registry: () => new Registry([]),
        registryAt: async () => new Registry([]),
      }
      const judged = (async () => checkToken(tokenFrom(toBytes(token)), chain, { signal: soon() }))()
      const told = await judged.then(
        () => 'accepted',
        (thrown: unknown) => (thrown instanceof RefusalError ? thrown.refusal : assert.fail(String(thrown))),
      )
      assert.equal(told, outcome)
    })
  }
})

describe('the test vectors of who may exchange', () => {
  const { one, other, cases } = vectorsOf('share/1/vectors/registry.json')

  for (const { name, registry, outcome } of cases) {
    it(`${name}: ${outcome}`, () => {
      for (const [first, second] of [
        [one, other],
        [other, one],
      ] as const) {
        const barrier = synchronisationBarrier(registryFrom(registry), first, second)
        assert.equal(barrier === undefined ? 'accepted' : BARRIER_REFUSALS[barrier], outcome)
      }
    })
  }
})
