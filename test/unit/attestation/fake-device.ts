import { basename, dirname } from 'node:path'
import type { DeviceFiles } from '../../../src/attestation/sources/device-files.js'

export function errno(code: string): Error {
  return Object.assign(new Error(`${code}: the device says no`), { code })
}

/** Behaves as Gramine's pseudo-files do: the quote is over what was written last. */
export class FakeGramine implements DeviceFiles {
  type = 'dcap'
  /** Of all that was done, in order. */
  readonly log: string[] = []
  /** What a quote is made by; it may wait, fail, or have others come between. */
  sign: (reportData: Uint8Array) => Promise<Uint8Array>
  reportData = new Uint8Array(64)

  constructor(sign: (reportData: Uint8Array) => Promise<Uint8Array>) {
    this.sign = sign
  }

  async read(path: string): Promise<Uint8Array> {
    this.log.push(`read ${basename(path)}`)
    if (basename(path) === 'attestation_type') return Buffer.from(`${this.type}\0`)
    return this.sign(this.reportData)
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.log.push(`write ${basename(path)}`)
    this.reportData = Uint8Array.from(bytes)
  }

  realPath = async (path: string) => path

  async makeFolder(): Promise<void> {
    throw errno('EPERM')
  }

  async removeFolder(): Promise<void> {
    throw errno('EPERM')
  }
}

/** Behaves as Linux' configfs-tsm does: an entry counts what is written to it. */
export class FakeTsm implements DeviceFiles {
  provider = 'tdx_guest'
  readonly entries = new Map<string, { generation: number; inblob: Uint8Array }>()
  sign: (reportData: Uint8Array, entry: { generation: number; inblob: Uint8Array }) => Promise<Uint8Array>
  mostEntries = 0

  constructor(sign: FakeTsm['sign']) {
    this.sign = sign
  }

  async read(path: string): Promise<Uint8Array> {
    const entry = this.#entry(dirname(path))
    switch (basename(path)) {
      case 'provider':
        return Buffer.from(`${this.provider}\n`)
      case 'generation':
        return Buffer.from(`${entry.generation}\n`)
      case 'outblob':
        return this.sign(entry.inblob, entry)
      default:
        throw errno('ENOENT')
    }
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    if (basename(path) !== 'inblob') throw errno('EINVAL')
    const entry = this.#entry(dirname(path))
    entry.generation += 1
    entry.inblob = Uint8Array.from(bytes)
  }

  realPath = async (path: string) => path

  async makeFolder(path: string): Promise<void> {
    if (this.entries.has(path)) throw errno('EEXIST')
    this.entries.set(path, { generation: 0, inblob: new Uint8Array() })
    this.mostEntries = Math.max(this.mostEntries, this.entries.size)
  }

  async removeFolder(path: string): Promise<void> {
    if (!this.entries.delete(path)) throw errno('ENOENT')
  }

  #entry(path: string) {
    const entry = this.entries.get(path)
    if (entry === undefined) throw errno('ENOENT')
    return entry
  }
}
