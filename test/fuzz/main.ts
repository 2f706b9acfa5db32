import { parseArgs } from 'node:util'
import { messageOf } from '../../src/domain/index.js'
import { FUZZ_TARGETS, fuzz } from './targets.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
    runs: { type: 'string', default: '25' },
    only: { type: 'string', default: '' },
  },
})
const { only } = values
const targets = FUZZ_TARGETS.filter(({ name }) => name.includes(only))
const tell = (line: string) => process.stdout.write(`${line}\n`)
const until = Date.now() + Number(values.minutes) * 60_000
tell(`${targets.length} targets, ${values.minutes} minutes, seed ${values.seed}`)

const unexpected = (thrown: unknown) => {
  tell(`a promise was rejected that nobody waited for: ${messageOf(thrown)}`)
  process.exit(1)
}
process.on('unhandledRejection', unexpected)

/** Doubled while a round is short, so that what takes long does not keep the rest from its turn. */
let runs = Number(values.runs)
let total = 0
for (let seed = Number(values.seed); Date.now() < until; seed += 1) {
  const began = Date.now()
  for (const target of targets) {
    if (Date.now() >= until) break
    try {
      await fuzz(target, { seed, runs })
    } catch (thrown) {
      tell(
        `${target.name} fails; repeat it with --seed ${seed} --runs ${runs} --only '${target.name}'\n${messageOf(thrown)}`,
      )
      process.exit(1)
    }
    total += runs
  }
  tell(`${total} inputs, nothing found`)
  if (Date.now() - began < 20_000) runs *= 2
}
process.off('unhandledRejection', unexpected)
// Streams that were left in mid-exchange keep timers of their own.
process.exit(0)
