import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/crypto/index.js'
import { systemClock } from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import { Inventory } from '../../../src/inventory/index.js'
import { Places } from '../../../src/reconcile/admission.js'
import { readAnswer, readSummary } from '../../../src/reconcile/messages.js'
import { encodePrefixes } from '../../../src/reconcile/prefixes.js'
import { serveSession } from '../../../src/reconcile/provider.js'
import { RequesterMessage } from '../../../src/reconcile/wire/reconcile.js'
import { account, GENESIS, sideOf } from '../reconcile/fixture.js'
import { connectedStreams, soon } from '../share/fixture.js'
import { vectorsOf } from './vectors.js'

function inventoryOf(held: readonly { readonly share: number; readonly version: number }[]): Inventory {
  const inventory = new Inventory()
  for (const { share, version } of held) inventory.set(share, version)
  return inventory
}

describe('the test vectors of reconciliation', () => {
  const signal = soon(19_000)

  for (const { name, held, fingerprint } of vectorsOf('reconcile/1/vectors/fingerprints.json').sets) {
    it(`the fingerprint of ${name}`, () => assert.equal(toHex(inventoryOf(held).summary().fingerprint), fingerprint))
  }

  const { held, summary, questions } = vectorsOf('reconcile/1/vectors/sessions.json')
  const inventory = inventoryOf(held)

  /** A provider that holds what the vectors say, after the Hello; and what it told of itself. */
  async function provider(): Promise<{ frames: Frames; ended: Promise<unknown>; told: Uint8Array | undefined }> {
    const [near, far] = await connectedStreams()
    const source = { held: async () => ({ held: inventory, takenIn: summary.takenInBlock }) }
    const side = { ...sideOf('giving', inventory), source }
    const ended = serveSession(side, new Places(systemClock), 'peer of asking', new Frames(far), { signal }).catch(
      (thrown: unknown) => thrown,
    )
    const frames = new Frames(near)
    const hello = { genesisHash: fromHex(GENESIS), account: fromHex(account('asking').account) }
    await frames.write(RequesterMessage.encode({ hello }), { signal })
    return { frames, ended, told: await frames.read(1_000, { signal }) }
  }

  it('the summary', async () => {
    const { frames, ended, told } = await provider()
    assert.equal(told && toHex(told), summary.message)
    frames.abort(new Error('done'))
    await ended
  })

  for (const vector of questions) {
    it(`a question of ${vector.name}: ${vector.outcome}`, async () => {
      const { frames, ended } = await provider()
      await frames.write(fromHex(vector.question), { signal })
      if (vector.outcome === 'MALFORMED') {
        await assert.rejects(readSummary(frames, { signal }), { refusal: 'MALFORMED' })
      } else {
        assert.equal(
          toHex(RequesterMessage.encode({ question: { prefixes: encodePrefixes(vector.prefixes) } })),
          vector.question,
        )
        const answer = await frames.read(98_304, { signal })
        assert.equal(answer && toHex(answer), vector.answer)
      }
      frames.abort(new Error('done'))
      await ended
    })
  }

  const { cases, counts } = vectorsOf('reconcile/1/vectors/answers.json')
  for (const { name, prefix, answer, outcome } of [...cases, ...counts]) {
    it(`an answer of ${name}: ${outcome}`, async () => {
      const [near, far] = await connectedStreams()
      await new Frames(far).write(fromHex(answer), { signal })
      const read = readAnswer(new Frames(near), [prefix], { signal })
      if (outcome === 'accepted') assert.equal((await read).length, 1)
      else await assert.rejects(read, { refusal: 'MALFORMED' })
    })
  }
})
