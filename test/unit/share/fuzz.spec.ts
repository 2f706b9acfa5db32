import { FUZZ_TARGETS, fuzz } from '../../fuzz/targets.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** A short run; `npm run fuzz` makes long ones. */
describe(`random and mutated messages (SEED=${seed})`, () => {
  for (const target of FUZZ_TARGETS) {
    const isExchange = target.name.startsWith('the ')
    it(`do no harm to ${target.name}`, () => fuzz(target, { seed, runs: isExchange ? 60 : 300 }))
  }
})
