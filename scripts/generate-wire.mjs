// Makes the protobuf codecs under src/*/wire from the definitions in protocols/. Run by `npm run generate`.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const codecs = [
  { definition: 'protocols/share/1/share.proto', folder: 'src/share/wire', file: 'share.ts' },
  { definition: 'protocols/reconcile/1/reconcile.proto', folder: 'src/reconcile/wire', file: 'reconcile.ts' },
  { definition: 'protocols/enclave-record/1/record.proto', folder: 'src/mesh/wire', file: 'record.ts' },
]

for (const { definition, folder, file } of codecs) {
  execFileSync('npx', ['protons', '--output', folder, definition], { stdio: 'inherit' })
  const path = `${folder}/${file}`
  // Bytes come from buffers of any kind; protons' narrower type would make callers copy them for nothing.
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('Uint8Array<ArrayBuffer>', 'Uint8Array'))
}
