import assert from 'node:assert/strict'
import { runCrash } from '../../crash/crash.js'

/** One in each phase; the command makes more. */
const KILLS = 4

describe('an enclave that is killed over and over', () => {
  it('loses no share and no want, and confirms nothing twice', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const text = `0x${seed.toString(16)}`
    console.info(`      seed ${text}: npm run crash -- --kills ${KILLS} --seed ${text} repeats this`)
    const { kills, shares, confirmations, compactions } = await runCrash({ kills: KILLS, seed })
    for (const [phase, count] of Object.entries(kills)) assert.ok(count > 0, phase)
    assert.ok(shares > confirmations && confirmations > 0)
    assert.ok(compactions > 0)
  }).timeout(420_000)
})
