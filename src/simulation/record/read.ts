import { createReadStream } from 'node:fs'
import { messageOf, SlotmeshError } from '../../domain/index.js'
import type { RunEvent, RunHeader, RunOutcome } from './events.js'
import type { RecordedRun } from './recorder.js'
import { HEADER, LINE } from './schema.js'

/** More than the recorder writes: characters of a line, and lines. */
const LIMITS = { line: 4_000_000, lines: 1_000_000 } as const

/**
 * Reads the file of a run back. One that was cut short, in the middle of a line even, is read as far as it goes.
 * @throws SlotmeshError `simulation/run-unreadable`, `simulation/not-a-run`, `simulation/run-damaged`
 */
export async function readRun(path: string): Promise<RecordedRun> {
  let header: RunHeader | undefined
  let outcome: RunOutcome | undefined
  const events: RunEvent[] = []
  let number = 0
  for await (const { text, isWhole } of linesOf(path)) {
    number += 1
    const json = parsed(text)
    if (header === undefined) {
      header = HEADER.safeParse(json).data
      if (header === undefined) throw notARun(path)
      continue
    }
    if (json === undefined && !isWhole) break
    const line = LINE.safeParse(json).data
    if (line === undefined || outcome !== undefined || number > LIMITS.lines) throw damaged(path, number)
    if (line.type === 'outcome') outcome = line
    else events.push(line)
  }
  if (header === undefined) throw notARun(path)
  return { header, events, outcome }
}

interface Line {
  readonly text: string
  /** False for a last line that nothing ends. */
  readonly isWhole: boolean
}

async function* linesOf(path: string): AsyncGenerator<Line> {
  let rest = ''
  let number = 1
  try {
    for await (const chunk of createReadStream(path, 'utf8')) {
      const [first = '', ...others] = String(chunk).split('\n')
      rest += first
      for (const next of others) {
        yield { text: rest, isWhole: true }
        number += 1
        rest = next
      }
      // A foreign file may be one line of any length.
      if (rest.length > LIMITS.line) throw number === 1 ? notARun(path) : damaged(path, number)
    }
  } catch (cause) {
    if (cause instanceof SlotmeshError) throw cause
    const sentence = `The run ${path} cannot be read: ${messageOf(cause)}. Check the path and its permissions.`
    throw new SlotmeshError('simulation/run-unreadable', sentence, { cause })
  }
  if (rest !== '') yield { text: rest, isWhole: false }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON is no line of a run either; the caller says so.
    return undefined
  }
}

function notARun(path: string): SlotmeshError {
  const sentence = `The file ${path} is no recorded run: it does not begin as one. Give a file that "slotmesh simulate" wrote, its name ends with .run.jsonl.`
  return new SlotmeshError('simulation/not-a-run', sentence)
}

function damaged(path: string, line: number): SlotmeshError {
  const sentence = `The run ${path} is damaged: line ${line} is no event of a run. Record the run again, or end the file before that line.`
  return new SlotmeshError('simulation/run-damaged', sentence)
}
