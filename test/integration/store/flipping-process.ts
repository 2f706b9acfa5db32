import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openStore } from '../../../src/store/index.js'
import { logger, sealingKey } from './fixture.js'

interface Work {
  readonly location: string
  /** An empty folder. */
  readonly place: string
  /** A file and a bit of it, each flipped in a copy of its own. */
  readonly jobs: readonly [file: string, bit: number][]
  readonly seeds: readonly (readonly number[])[]
}

/** Opens each copy twice, and says what came of the second time. */
process.once('message', async ({ location, place, jobs, seeds }: Work) => {
  for (const [file, bit] of jobs) {
    const copy = join(place, 'copy')
    await cp(location, copy, { recursive: true })
    const bytes = await readFile(join(copy, file))
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await writeFile(join(copy, file), bytes)
    process.send?.(await opened(copy, seeds))
    for (const end of ['', '.damaged']) await rm(`${copy}${end}`, { recursive: true, force: true })
  }
  process.disconnect()
})

async function opened(copy: string, seeds: Work['seeds']): Promise<string> {
  let state = ''
  try {
    for (const _ of [1, 2]) {
      const store = await openStore({ location: copy, sealingKey, logger })
      state = store.integrity().state
      for (const [at, name] of (['account-seed', 'peer-key-seed'] as const).entries()) {
        const seed = await store.secret(name)
        if (seed === undefined || !Buffer.from(seed).equals(Buffer.from(seeds[at] ?? []))) state += ` without ${name}`
      }
      await store.close()
    }
    return `${state} seeds`
  } catch (thrown) {
    return String(thrown)
  }
}
