/*
 * Puts the table of settings into its page, where the words around it stay.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { settingsReference } from '../dist/config/index.js'

const PAGE = 'docs/configuration.md'
const HEAD = /^\| setting +\| flag .*\n(?:\|.*\n)+/m

const page = await readFile(PAGE, 'utf8')
if (!HEAD.test(page)) throw new Error(`${PAGE} has no table of settings to put anew.`)
await writeFile(
  PAGE,
  page.replace(HEAD, () => settingsReference()),
)
