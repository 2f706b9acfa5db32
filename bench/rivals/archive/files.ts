import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open, seal } from './sealing.js'
import type { Entry } from './zip.js'

/** One sealed file for each share. */
export class SealedFiles {
  readonly #key = Buffer.alloc(32, 9)

  constructor(private readonly folder: string) {}

  write({ name, content }: Entry): void {
    writeFileSync(join(this.folder, name), seal(this.#key, content))
  }

  /** @throws Error at one that was altered. */
  *read(): Generator<Entry> {
    for (const name of readdirSync(this.folder)) {
      yield { name, content: open(this.#key, readFileSync(join(this.folder, name))) }
    }
  }
}

export function nameOf(at: number): string {
  return `nft_${at}_1000.keyshare`
}

/** @returns the number of the share in a file. */
export function numberIn(name: string): number {
  return Number(name.split('_')[1])
}
