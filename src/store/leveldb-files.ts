import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, isErrno } from './folder.js'
import { isLogRight, logRecords } from './leveldb-log.js'
import { isTableRight, readNumber, type StoredState, tableStates } from './leveldb-table.js'

/** The files of a database: what is looked at, and what LevelDB keeps beside it for itself. */
const FILE = /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|sst|log|dbtmp)|LOCK|LOG(\.old)?)$/

/** In which nothing is that was written to the database. */
const CHAFF = /^(LOCK|LOG(\.old)?)$/
const TABLE = /^0*(\d+)\.(ldb|sst)$/
const JOURNAL = /^0*(\d+)\.log$/

/** What LevelDB's index says: which tables count, and from which journal on. */
interface Index {
  readonly tables: ReadonlySet<number>
  readonly firstJournal: number
  readonly formerJournal: number
}

/** The sorts of what an index is made of. */
const [COMPARATOR, JOURNAL_NUMBER, NEXT_NUMBER, LAST_SEQUENCE, POINTER, DELETED, ADDED, FORMER_JOURNAL] = [
  1, 2, 3, 4, 5, 6, 7, 9,
]

/** What begins the record of a journal: the number of the write, and how many records it is of. */
const BATCH_HEAD_BYTES = 12
const [DELETION, WRITE] = [0, 1]

/** The database's files in a folder: those with something in them, and the others. */
export async function filesOf(folder: string): Promise<{ kept: string[]; chaff: string[] }> {
  const files = (await readdir(folder)).filter((name) => FILE.test(name))
  return { kept: files.filter((name) => !CHAFF.test(name)), chaff: files.filter((name) => CHAFF.test(name)) }
}

/** Whether all that a database has is there and fits its checksums, before LevelDB looks at it, which looks at few. */
export async function isIntact(folder: string): Promise<boolean> {
  const index = await readIndex(folder)
  if (index === undefined) return false
  const { tables, journals, missing } = await counting(folder, index)
  if (missing > 0 || (await isJournalLost(folder))) return false
  for (const table of tables) if (!(await isTableRight(table))) return false
  for (const [at, journal] of journals.entries()) {
    if (!(await isLogRight(journal, at === journals.length - 1))) return false
  }
  return true
}

/** Whether the journal is gone that the index begins with: LevelDB makes it before it writes its number there. */
export async function isJournalLost(folder: string): Promise<boolean> {
  const { firstJournal } = (await readIndex(folder)) ?? { firstJournal: 0 }
  if (firstJournal === 0) return false
  return !(await readdir(folder)).some((name) => Number(JOURNAL.exec(name)?.[1]) === firstJournal)
}

/** Whether nothing of a file is lost when all that can be read of it is kept. */
export function isFileRight(file: string): Promise<boolean> {
  if (/\.(ldb|sst)$/.test(file)) return isTableRight(file)
  return /\.log$|MANIFEST-\d+$/.test(file) ? isLogRight(file, true) : Promise.resolve(true)
}

/**
 * All states of records that can be read of a database's files, in no order and some perhaps twice, by whoever has the
 * folder to themselves. Nothing of LevelDB's is at work here, and no length in a file is believed.
 */
export async function* statesOf(folder: string): AsyncGenerator<StoredState> {
  const { tables, journals } = await counting(folder, await readIndex(folder))
  for (const table of tables) yield* tableStates(table)
  for (const journal of journals) {
    for await (const { content, state } of logRecords(journal)) if (state !== 'cut') yield* batchStates(content)
  }
}

/** The files that count, or all where nobody can say; journals in their order. */
async function counting(folder: string, index: Index | undefined) {
  const names = (await readdir(folder)).sort((one, other) => one.length - other.length || (one < other ? -1 : 1))
  const numbered = (pattern: RegExp, counts: (number: number) => boolean) =>
    names.filter((name) => {
      const [, number] = pattern.exec(name) ?? []
      return number !== undefined && counts(Number(number))
    })
  const tables = numbered(TABLE, (number) => index?.tables.has(number) ?? true)
  const journals = numbered(
    JOURNAL,
    (number) => index === undefined || number >= index.firstJournal || number === index.formerJournal,
  )
  const missing = (index?.tables.size ?? tables.length) - tables.length
  return {
    tables: tables.map((name) => join(folder, name)),
    journals: journals.map((name) => join(folder, name)),
    missing,
  }
}

/** Undefined when it is missing or damaged. */
async function readIndex(folder: string): Promise<Index | undefined> {
  const [, name] = /^(MANIFEST-\d+)\n$/.exec(await textOf(join(folder, 'CURRENT'))) ?? []
  if (name === undefined || !(await exists(join(folder, name)))) return undefined
  const tables = new Set<number>()
  const journals = { firstJournal: 0, formerJournal: 0 }
  for await (const { content, state } of logRecords(join(folder, name))) {
    if (state === 'cut') break
    if (state === 'damaged' || !readEdit(content, tables, journals)) return undefined
  }
  return { tables, ...journals }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1')
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return ''
    throw thrown
  }
}

/** Applies one change of the index. @returns false when it has another form than LevelDB gives it. */
function readEdit(
  edit: Buffer,
  tables: Set<number>,
  journals: { firstJournal: number; formerJournal: number },
): boolean {
  let at = 0
  let isRight = true
  const number = () => {
    const read = readNumber(edit, at)
    isRight &&= read !== undefined
    at = read?.end ?? edit.length
    return read?.value ?? 0
  }
  const skip = () => {
    const length = number()
    at += length
  }
  while (isRight && at < edit.length) {
    const sort = number()
    if (sort === COMPARATOR) skip()
    else if (sort === JOURNAL_NUMBER) journals.firstJournal = number()
    else if (sort === FORMER_JOURNAL) journals.formerJournal = number()
    else if (sort === NEXT_NUMBER || sort === LAST_SEQUENCE) number()
    else if (sort === POINTER) {
      number()
      skip()
    } else if (sort === DELETED) {
      number()
      tables.delete(number())
    } else if (sort === ADDED) {
      number()
      tables.add(number())
      number()
      skip()
      skip()
    } else return false
  }
  return isRight && at === edit.length
}

/** What one record of a journal writes; of a damaged one, what follows from its beginning, and what leads to its end. */
function* batchStates(batch: Buffer): Generator<StoredState> {
  if (batch.length < BATCH_HEAD_BYTES) return
  const sequence = batch.readBigUInt64LE(0)
  const first = operationsFrom(batch, BATCH_HEAD_BYTES)
  const found = first.operations
  for (let at = BATCH_HEAD_BYTES + 1; first.end < batch.length && at < batch.length; at += 1) {
    const { operations, end } = operationsFrom(batch, at)
    if (operations.length === 0 || end !== batch.length) continue
    found.push(...operations)
    break
  }
  for (const [at, operation] of found.entries()) {
    if (operation.name.length > 0) yield { ...operation, sequence: sequence + BigInt(at) }
  }
}

type Operation = Omit<StoredState, 'sequence'>

function operationsFrom(batch: Buffer, from: number): { operations: Operation[]; end: number } {
  const operations: Operation[] = []
  let at = from
  const field = (): Buffer | undefined => {
    const length = readNumber(batch, at)
    const end = (length?.end ?? batch.length) + (length?.value ?? 1)
    if (length === undefined || end > batch.length) return undefined
    at = end
    return batch.subarray(length.end, end)
  }
  for (;;) {
    const [start, sort] = [at, batch[at]]
    at += 1
    const name = sort === DELETION || sort === WRITE ? field() : undefined
    const value = sort === WRITE ? name && field() : undefined
    if (name === undefined || (sort === WRITE && value === undefined)) return { operations, end: start }
    operations.push({ name, value })
  }
}
