import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Where systems put it. */
const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

export const NO_CHROMIUM =
  'The tests of the page need Chromium: install it (Debian: apt-get install chromium), or set SLOTMESH_CHROMIUM to its path, and run them again.'

/** @returns undefined where there is no browser. */
export function findChromium(): string | undefined {
  const { SLOTMESH_CHROMIUM: chosen } = process.env
  return chosen !== undefined && chosen !== '' ? chosen : USUAL_PATHS.find((path) => existsSync(path))
}

export function startChromium(executablePath: string): Promise<Browser> {
  // Its own sandbox needs rights that root in a container has not; the pages are this project's.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
