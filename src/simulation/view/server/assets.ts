import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { messageOf, SlotmeshError } from '../../../domain/index.js'

export interface Asset {
  readonly type: string
  readonly content: Buffer
}

const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' }

/** Compiled for browsers, together with what it shares with the rest of the simulation. */
const MODULE = /^\/((?:view\/page|view\/model|record)\/[a-z-]+\.js)$/
const PAGE: Readonly<Record<string, string>> = { '/': 'view/page/page.html', '/page.css': 'view/page/page.css' }

/** Where the build puts the page, also when this code runs from elsewhere, as in tests. */
function builtFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve('slotmesh/package.json')), 'dist', 'simulation')
}

/** @throws SlotmeshError `simulation/no-page` when the package was not built. */
export async function checkAssets(): Promise<void> {
  for (const path of ['/', '/page.css', '/view/page/main.js']) {
    if ((await assetOf(path)) !== undefined) continue
    throw new SlotmeshError(
      'simulation/no-page',
      'The page of the simulation was not built: run "npm run build" first.',
    )
  }
}

/** @returns undefined when there is none at this path of the server. */
export async function assetOf(path: string): Promise<Asset | undefined> {
  const file = PAGE[path] ?? MODULE.exec(path)?.[1]
  if (file === undefined) return undefined
  const type = TYPES[file.split('.').at(-1) as keyof typeof TYPES]
  try {
    return { type, content: await readFile(join(builtFolder(), file)) }
  } catch (thrown) {
    if (messageOf(thrown).includes('ENOENT')) return undefined
    throw thrown
  }
}
