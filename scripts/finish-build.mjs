/*
 * What the compiler leaves to be done: the command can be run, the pages have their looks, and what a source has left
 * that is gone by now goes as well, so that the package has nothing of it.
 */
import { access, chmod, copyFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

await chmod('dist/cli/main.js', 0o755)
for (const folder of ['simulation/view/page', 'status-page/page', 'web/page']) {
  const files = await readdir(`src/${folder}`)
  for (const file of files.filter((name) => /\.(html|css)$/.test(name))) {
    await copyFile(`src/${folder}/${file}`, `dist/${folder}/${file}`)
  }
}

for (const entry of await readdir('dist', { recursive: true, withFileTypes: true })) {
  if (entry.isDirectory()) continue
  const built = join(entry.parentPath, entry.name)
  const source = built.replace(/^dist/, 'src').replace(/(?:\.d\.ts|\.js)$/, '.ts')
  const isMade = await access(source).then(
    () => true,
    () => false,
  )
  if (!isMade) await rm(built)
}
