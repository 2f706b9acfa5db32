/*
 * What the compiler leaves to be done: the command can be run, and the pages have their looks.
 */
import { chmod, copyFile, readdir } from 'node:fs/promises'

await chmod('dist/cli/main.js', 0o755)
for (const folder of ['simulation/view/page', 'status-page/page', 'web/page']) {
  const files = await readdir(`src/${folder}`)
  for (const file of files.filter((name) => /\.(html|css)$/.test(name))) {
    await copyFile(`src/${folder}/${file}`, `dist/${folder}/${file}`)
  }
}
