// Lets `npx slotmesh` work in a checkout, as it does where the package is installed. Run by `npm run build`.
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'

const command = 'dist/cli/main.js'
const folder = 'node_modules/.bin'

chmodSync(command, 0o755)
mkdirSync(folder, { recursive: true })
if (process.platform === 'win32') {
  writeFileSync(`${folder}/slotmesh.cmd`, `@node "%~dp0..\\..\\${command.replaceAll('/', '\\')}" %*\r\n`)
} else {
  rmSync(`${folder}/slotmesh`, { force: true })
  symlinkSync(`../../${command}`, `${folder}/slotmesh`)
}
