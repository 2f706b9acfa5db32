import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/*
 * As much of LevelDB's files as a host needs to forge them: the list of tables (its MANIFEST) is read and written, so
 * that a table of its own making can be put where single reads look first.
 */

interface TableFile {
  readonly level: number
  readonly number: number
  readonly size: number
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
}

interface TableList {
  readonly file: string
  readonly comparator: Uint8Array
  readonly numbers: Map<number, number>
  readonly tables: Map<number, TableFile>
}

const [COMPARATOR, NEXT_NUMBER, POINTER, DELETED, ADDED] = [1, 3, 5, 6, 7]
const NUMBERS = [2, 9, 3, 4]
const BLOCK_BYTES = 32_768

/** Puts all tables of the donor's folder on top of the victim's; both are closed, and all their records are in tables. */
export async function transplant(victim: string, donor: string): Promise<void> {
  const list = await readTables(victim)
  for (const table of (await readTables(donor)).tables.values()) {
    const number = list.numbers.get(NEXT_NUMBER) ?? 0
    list.numbers.set(NEXT_NUMBER, number + 1)
    const source = (await readdir(donor)).find(
      (name) => name.startsWith(fileNumber(table.number)) && /ldb|sst/.test(name),
    )
    await copyFile(join(donor, source ?? ''), join(victim, `${fileNumber(number)}.ldb`))
    list.tables.set(number, { ...table, level: 0, number })
  }
  await writeTables(victim, list)
}

const fileNumber = (number: number) => String(number).padStart(6, '0')

async function readTables(folder: string): Promise<TableList> {
  const file = join(folder, (await readFile(join(folder, 'CURRENT'), 'utf8')).trim())
  let comparator = new Uint8Array(0)
  const numbers = new Map<number, number>()
  const tables = new Map<number, TableFile>()
  for (const edit of logRecords(await readFile(file))) {
    const reader = new EditReader(edit)
    while (!reader.isAtEnd) {
      const tag = reader.number()
      if (tag === COMPARATOR) comparator = reader.bytes()
      else if (NUMBERS.includes(tag)) numbers.set(tag, reader.number())
      else if (tag === POINTER) [reader.number(), reader.bytes()]
      else if (tag === DELETED) [reader.number(), tables.delete(reader.number())]
      else if (tag === ADDED) {
        const [level, number, size] = [reader.number(), reader.number(), reader.number()]
        tables.set(number, { level, number, size, smallest: reader.bytes(), largest: reader.bytes() })
      } else throw new Error(`LevelDB has a tag ${tag} that is not known here.`)
    }
  }
  return { file, comparator, numbers, tables }
}

async function writeTables(folder: string, { file, comparator, numbers, tables }: TableList): Promise<void> {
  const parts = [varint(COMPARATOR), counted(comparator)]
  for (const [tag, number] of numbers) parts.push(varint(tag), varint(number))
  for (const { level, number, size, smallest, largest } of tables.values()) {
    parts.push(...[ADDED, level, number, size].map(varint), counted(smallest), counted(largest))
  }
  const edit = Buffer.concat([Uint8Array.of(1), ...parts])
  const header = Buffer.alloc(6)
  header.writeUInt32LE(masked(crc32c(edit)), 0)
  header.writeUInt16LE(edit.length - 1, 4)
  if (edit.length > BLOCK_BYTES / 2) throw new Error(`The list of tables in ${folder} is too long for one block.`)
  await writeFile(file, Buffer.concat([header, edit]))
}

/** The records of one of LevelDB's logs, put together from their parts. */
function* logRecords(log: Buffer): Generator<Buffer> {
  const parts: Buffer[] = []
  for (let at = 0; at + 7 <= log.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (left < 7) {
      at += left
      continue
    }
    const [length, type] = [log.readUInt16LE(at + 4), log[at + 6]]
    if (type === 0) return
    parts.push(log.subarray(at + 7, at + 7 + length))
    at += 7 + length
    if (type === 1 || type === 4) yield Buffer.concat(parts.splice(0))
  }
}

class EditReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  number(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.number()
    this.#at += length
    return new Uint8Array(this.#bytes.subarray(this.#at - length, this.#at))
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Uint8Array.of(...bytes, rest)
}

function counted(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint(bytes.length), bytes])
}

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
