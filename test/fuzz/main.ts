import { parseArgs } from 'node:util'
import { messageOf } from '../../src/domain/index.js'
import { FUZZ_TARGETS, fuzz } from './targets.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
    only: { type: 'string', default: '' },
  },
})
const { only } = values
const targets = FUZZ_TARGETS.filter(({ name }) => name.includes(only))
const tell = (line: string) => process.stdout.write(`${line}\n`)
const until = Date.now() + Number(values.minutes) * 60_000
tell(`${targets.length} targets, ${values.minutes} minutes, seed ${values.seed}`)

/** Doubled while a round is short, so that what takes long does not keep the rest from its turn. */
let runs = 25
let total = 0
for (let seed = Number(values.seed); Date.now() < until; seed += 1) {
  const began = Date.now()
  for (const target of targets) {
    if (Date.now() >= until) break
    try {
      await fuzz(target, { seed, runs })
    } catch (thrown) {
      tell(`${target.name} fails; repeat it with --seed ${seed} --only '${target.name}'\n${messageOf(thrown)}`)
      process.exit(1)
    }
    total += runs
  }
  tell(`${total} inputs, nothing found`)
  if (Date.now() - began < 20_000) runs *= 2
}
// Streams that were left in mid-exchange keep timers of their own.
process.exit(0)
