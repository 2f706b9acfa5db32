import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, SlotmeshError } from '../../../domain/index.js'
import type { RecordedRun } from '../../record/index.js'
import { formatHtmlReport } from './report.js'

/**
 * Writes the report of one run, or of several, to one file.
 * @throws SlotmeshError `simulation/run-unfinished`; `simulation/report-not-written`
 */
export async function writeReport(file: string, runs: readonly RecordedRun[]): Promise<void> {
  await writePage(file, formatHtmlReport(runs))
}

/**
 * Writes a page to a file, whose folder is made when it is absent.
 * @throws SlotmeshError `simulation/report-not-written`
 */
export async function writePage(file: string, content: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  } catch (cause) {
    const sentence = `The report could not be written to ${file}: ${messageOf(cause)}. Choose a file that is writable.`
    throw new SlotmeshError('simulation/report-not-written', sentence, { cause })
  }
}

/** Where the report goes when nobody says: next to the file of the run, `….run.jsonl` becoming `….report.html`. */
export function reportFileOf(runFile: string): string {
  return `${runFile.replace(/(\.run)?\.jsonl$/, '')}.report.html`
}
