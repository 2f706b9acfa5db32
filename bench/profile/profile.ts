import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Folders, fetchAll, type Shares } from '../bootstrap/bootstrap.js'
import { machineAndCommit } from '../harness/machine.js'
import { writeText } from '../harness/results.js'
import { flameGraph } from './flame.js'
import { nameOf, type Profiled, profilePage, titleOf } from './page.js'
import { treeOf } from './tree.js'

const BUILD = fileURLToPath(new URL('../../', import.meta.url))

/** Where profiles themselves stay, for Chrome's tools. */
const PROFILES = 'build/bench'

/** Profiles one setup of each, and writes a graph of each and the page that has them into the folder `out`. */
export async function profile(setups: readonly Shares[], out: string): Promise<void> {
  const folders = new Folders()
  const profiled: Profiled[] = []
  try {
    for (const setup of setups) {
      process.stderr.write(`${titleOf(setup)} …\n`)
      const file = join(PROFILES, `${nameOf(setup)}.cpuprofile`)
      const { seconds, processorSeconds } = await fetchAll(await folders.of(setup), setup, file)
      const tree = treeOf(JSON.parse(await readFile(file, 'utf8')), BUILD)
      await writeText(join(out, `${nameOf(setup)}.svg`), flameGraph(tree, titleOf(setup)))
      profiled.push({ ...setup, seconds, processorSeconds, tree })
    }
  } finally {
    await folders.remove()
  }
  const listed = (of: keyof Shares) => setups.map((setup) => setup[of]).join(',')
  const command = `npm run bench -- profile --shares ${listed('shares')} --bytes ${listed('bytes')}`
  await writeText(join(out, 'README.md'), profilePage(profiled, command, machineAndCommit()))
  process.stdout.write(`The graphs and their tables are in ${out}, the profiles in ${PROFILES}.\n`)
}
