import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder with the lock file; seen from `build`. */
const PACKAGE = fileURLToPath(new URL('../../../bench/rivals', import.meta.url))
/** Where the compiled programs look for packages. */
const LINK = fileURLToPath(new URL('node_modules', import.meta.url))

/**
 * Installs the rivals where they are not there yet: from the lock file, running nothing of theirs. What is native in them
 * comes built within their packages.
 * @throws Error when npm says no.
 */
export function installRivals(): void {
  const packages = `${PACKAGE}/node_modules`
  if (!existsSync(`${packages}/.package-lock.json`)) {
    const options = ['ci', '--prefix', PACKAGE, '--ignore-scripts', '--no-audit', '--no-fund']
    execFileSync('npm', options, { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  rmSync(LINK, { force: true })
  symlinkSync(packages, LINK)
}
