// Plays each scenario that comes with the package in real nodes, one after the other, and says which failed. Those that
// last hours are for the discrete mode.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'

const ONLY_DISCRETE = ['region-lost-for-an-hour', 'five-hundred-clusters']

/** What is played in another way as well. */
const AGAIN = [
  ['life-of-a-share', '--generation', '1'],
  ['power-cut', '--mode', 'processes'],
]

const { positionals } = parseArgs({ allowPositionals: true })
const names = (await readdir('examples/scenarios')).map((file) => file.replace(/\.yaml$/, ''))
const stories = [...names.filter((name) => !ONLY_DISCRETE.includes(name)).map((name) => [name]), ...AGAIN]
const chosen = stories.filter(([name]) => positionals.length === 0 || positionals.includes(name))
const failed = []
for (const [name, ...more] of chosen) {
  const story = spawn(process.execPath, ['dist/cli/main.js', 'simulate', '--scenario', name, ...more], {
    stdio: 'inherit',
  })
  const [exitCode] = await once(story, 'exit')
  if (exitCode !== 0) failed.push([name, ...more].join(' '))
}
console.log(`${chosen.length - failed.length} of ${chosen.length} stories passed`)
for (const words of failed) console.log(`FAIL ${words}`)
process.exitCode = failed.length === 0 && chosen.length > 0 ? 0 : 1
