import { createRequire } from 'node:module'

/** Of this package. */
export function packageVersion(): string {
  const { version }: { version: string } = createRequire(import.meta.url)('slotmesh/package.json')
  return version
}
