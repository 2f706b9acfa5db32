/*
 * Packs the package as it would be published, and has two linters look at the tarball: publint at what package.json
 * promises, attw at the types as each way of resolving finds them. There is ESM alone, so its profile leaves out the others.
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = await mkdtemp(join(tmpdir(), 'slotmesh-package-'))
try {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [name] = await readdir(folder)
  const tarball = join(folder, name)
  execFileSync('npx', ['--no', '--', 'publint', 'run', tarball, '--strict'], { stdio: 'inherit' })
  execFileSync('npx', ['--no', '--', 'attw', tarball, '--profile', 'esm-only'], { stdio: 'inherit' })
} catch (thrown) {
  // What has failed has said so itself.
  if (thrown.status === undefined) throw thrown
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}
