import assert from 'node:assert/strict'
import { synchronisationBarrier } from '../../../src/domain/index.js'
import { tokenFrom } from '../../../src/share/messages.js'
import { BARRIER_REFUSALS, RefusalError } from '../../../src/share/refusals.js'
import { checkToken } from '../../../src/share/tokens.js'
import { soon } from '../share/fixture.js'
import { chainFrom, registryFrom, toBytes, vectorsOf } from './vectors.js'

describe('the test vectors of tokens', () => {
  const { blockHashes, cases } = vectorsOf('share/1/vectors/tokens.json')
  for (const { name, now, token, outcome } of cases) {
    it(`${name}: ${outcome}`, async () => {
      const chain = chainFrom({ genesisHash: '0x', blockHashes }, { now, viewAgeSeconds: 0, registry: [] })
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
