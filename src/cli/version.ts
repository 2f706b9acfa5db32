import { createRequire } from 'node:module'

/** Of this package, as it is installed. */
export function packageVersion(): string {
  const { version }: { version: string } = createRequire(import.meta.url)('slotmesh/package.json')
  return version
}
