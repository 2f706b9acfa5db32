import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { messageOf, SlotmeshError } from '../domain/index.js'

export interface Asset {
  readonly type: string
  readonly content: Buffer
}

const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' }

/** What pages of this program share. */
const SHARED = /^\/web\/page\/[a-z-]+\.(?:js|css)$/

/** Where the build puts pages, also when this code runs from elsewhere, as in tests. */
function builtFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve('slotmesh/package.json')), 'dist')
}

/** The files of one page, as they lie in the build. */
export class Assets {
  readonly #page: string
  readonly #modules: RegExp

  /**
   * @param page the page itself, from the build's root: `status-page/page/page.html`.
   * @param modules which paths are served besides, each the file's place in the build.
   */
  constructor(page: string, modules: RegExp) {
    this.#page = page
    this.#modules = modules
  }

  /** @throws SlotmeshError `web/no-page` when the package was not built. */
  async check(): Promise<void> {
    if ((await this.at('/')) !== undefined && (await this.at('/web/page/dom.js')) !== undefined) return
    throw new SlotmeshError('web/no-page', 'The page was not built: run "npm run build" first.')
  }

  /** @returns undefined when there is none at this path of the server. */
  async at(path: string): Promise<Asset | undefined> {
    const isServed = path === '/' || this.#modules.test(path) || SHARED.test(path)
    if (!isServed) return undefined
    const file = path === '/' ? this.#page : path.slice(1)
    const type = TYPES[file.split('.').at(-1) as keyof typeof TYPES]
    try {
      return { type, content: await readFile(join(builtFolder(), file)) }
    } catch (thrown) {
      if (messageOf(thrown).includes('ENOENT')) return undefined
      throw thrown
    }
  }
}
