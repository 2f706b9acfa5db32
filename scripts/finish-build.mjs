/*
 * What the compiler leaves to be done: the command can be run, and the page of the simulation has its looks.
 */
import { chmod, copyFile } from 'node:fs/promises'

await chmod('dist/cli/main.js', 0o755)
for (const file of ['page.html', 'page.css']) {
  await copyFile(`src/simulation/view/page/${file}`, `dist/simulation/view/page/${file}`)
}
