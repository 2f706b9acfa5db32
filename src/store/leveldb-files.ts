import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, readSmall } from './folder.js'
import { BatchReader } from './leveldb-batch.js'
import { logParts, logRecords, type State } from './leveldb-log.js'
import { readNumber } from './leveldb-numbers.js'
import { isTableRight, type StoredState, tableStates } from './leveldb-table.js'

/** The files of a database: what is looked at, and what LevelDB keeps beside it for itself. */
const FILE = /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|sst|log|dbtmp)|LOCK|LOG(\.old)?)$/

/** In which nothing is that was written to the database. */
const CHAFF = /^(LOCK|LOG(\.old)?)$/
const TABLE = /^0*(\d+)\.(ldb|sst)$/
const JOURNAL = /^0*(\d+)\.log$/
const LIST = /\bMANIFEST-\d+$/

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

const NUMBERS: ReadonlySet<number> = new Set([JOURNAL_NUMBER, NEXT_NUMBER, LAST_SEQUENCE, FORMER_JOURNAL])

/** Tables of half a terabyte; and a change of the index that lists them all. */
const [MOST_TABLES, LARGEST_CHANGE_BYTES] = [262_144, 67_108_864]

/** The database's files in a folder: those with something in them, and the others. */
export async function filesOf(folder: string): Promise<{ kept: string[]; chaff: string[] }> {
  const files = (await readdir(folder)).filter((name) => FILE.test(name))
  return { kept: files.filter((name) => !CHAFF.test(name)), chaff: files.filter((name) => CHAFF.test(name)) }
}

/** Whether all that a database has is there and fits its checksums, before LevelDB looks at it, which looks at few. */
export async function isIntact(folder: string): Promise<boolean> {
  const index = await fittingIndex(folder)
  if (index === undefined) return false
  const { tables, journals } = await counting(folder, index)
  for (const table of tables) if (!(await isTableRight(table))) return false
  for (const [at, journal] of journals.entries()) {
    if (!(await isJournalRight(journal, at === journals.length - 1))) return false
  }
  return true
}

/** Whether nothing of a file is lost when all that can be read of it is kept. */
export async function isFileRight(file: string): Promise<boolean> {
  if (/\.(ldb|sst)$/.test(file)) return isTableRight(file)
  if (/\.log$/.test(file)) return isJournalRight(file, true)
  return !LIST.test(file) || (await indexIn(file)) !== undefined
}

/**
 * All states of records that can be read of a database's files, in no order and some perhaps twice, by whoever has the
 * folder to themselves. Nothing of LevelDB's is at work here, and no length in a file is believed.
 */
export async function* statesOf(folder: string): AsyncGenerator<StoredState> {
  const { tables, journals } = await counting(folder, await fittingIndex(folder))
  for (const table of tables) yield* tableStates(table)
  for (const journal of journals) yield* journalStates(journal)
}

async function* journalStates(file: string): AsyncGenerator<StoredState> {
  const ends = endsIn(file)
  try {
    let end = await ends.next()
    let batch = new BatchReader()
    for await (const { content, ended } of logParts(file)) {
      // What is cut short at the end was never acknowledged, and is no half of a write to be kept.
      if (end.done || end.value === 'cut') return
      const isRight = end.value === 'right'
      for (const state of batch.push(content)) yield { ...state, isRight }
      if (ended === undefined) continue
      for (const state of batch.rest()) yield { ...state, isRight }
      batch = new BatchReader()
      end = await ends.next()
    }
  } finally {
    await ends.return()
  }
}

/** What each record of a log is as a whole. */
async function* endsIn(file: string): AsyncGenerator<State, void> {
  for await (const { ended } of logParts(file)) if (ended !== undefined) yield ended
}

/**
 * Whether all of a journal is there, fits its checksums, and is what this node writes: LevelDB leaves out what it does not
 * understand, and tells nobody.
 *
 * @param mayBeCut the last record may be cut short by the end of the file: the database has never said that it is written.
 */
async function isJournalRight(file: string, mayBeCut: boolean): Promise<boolean> {
  let batch = new BatchReader()
  for await (const { content, ended } of logParts(file)) {
    batch.push(content)
    if (ended === undefined) continue
    if (ended === 'damaged') return false
    if (ended === 'cut') return mayBeCut
    if (!batch.isWhole) return false
    batch = new BatchReader()
  }
  return true
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
  return { tables: tables.map((name) => join(folder, name)), journals: journals.map((name) => join(folder, name)) }
}

/**
 * Undefined when it is missing or damaged, or names files that are gone: then it may be one of before, and what it does
 * not name is no less the database's than what it does. LevelDB makes a journal before it writes its number there.
 */
async function fittingIndex(folder: string): Promise<Index | undefined> {
  const [, name] = /^(MANIFEST-\d+)\n$/.exec(`${(await readSmall(join(folder, 'CURRENT'))) ?? ''}`) ?? []
  if (name === undefined || !(await exists(join(folder, name)))) return undefined
  const index = await indexIn(join(folder, name))
  if (index === undefined) return undefined
  const names = await readdir(folder)
  const numbers = (pattern: RegExp) => new Set(names.map((each) => Number(pattern.exec(each)?.[1])))
  const found = numbers(TABLE)
  for (const table of index.tables) if (!found.has(table)) return undefined
  return index.firstJournal === 0 || numbers(JOURNAL).has(index.firstJournal) ? index : undefined
}

/** Whether a file is a list of tables that can be read, and has one. */
export async function namesTables(file: string): Promise<boolean> {
  if (!LIST.test(file)) return false
  return ((await indexIn(file))?.tables.size ?? 0) > 0
}

/** Undefined when it is damaged, or ends before it says what LevelDB says with its first change. */
async function indexIn(file: string): Promise<Index | undefined> {
  const tables = new Set<number>()
  const numbers = new Map<number, number>()
  for await (const { content, state } of logRecords(file, LARGEST_CHANGE_BYTES)) {
    if (state === 'cut') break
    if (state === 'damaged' || !readChange(content, tables, numbers)) return undefined
  }
  const firstJournal = numbers.get(JOURNAL_NUMBER)
  if (firstJournal === undefined || !numbers.has(NEXT_NUMBER) || !numbers.has(LAST_SEQUENCE)) return undefined
  return { tables, firstJournal, formerJournal: numbers.get(FORMER_JOURNAL) ?? 0 }
}

/** Applies one change of the index. @returns false when it has another form than LevelDB gives it. */
function readChange(edit: Buffer, tables: Set<number>, numbers: Map<number, number>): boolean {
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
    else if (NUMBERS.has(sort)) numbers.set(sort, number())
    else if (sort === POINTER) {
      number()
      skip()
    } else if (sort === DELETED) {
      number()
      tables.delete(number())
    } else if (sort === ADDED) {
      number()
      tables.add(number())
      // At once: a change may list many more than any database has.
      isRight &&= tables.size <= MOST_TABLES
      number()
      skip()
      skip()
    } else return false
  }
  return isRight && at === edit.length
}
