import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { type ContestResult, resultOf } from './contest.js'
import type { Spread } from './statistics.js'
import { TARGETS, type TargetId, type Verdict } from './targets.js'

/** Of another format nothing is known. */
const FORMAT = 1

const target = z
  .string()
  .transform((id) => (isTarget(id) ? id : undefined))
  .optional()

const side = { name: z.string(), setUp: z.string(), figures: z.array(z.number()).min(1) }

/** What a file has to hold; what follows from the figures is in it for others, and worked out anew here. */
const FILE = z.object({
  format: z.literal(FORMAT),
  /** When it was begun. */
  at: z.string(),
  machine: z.object({
    processor: z.string(),
    cores: z.number(),
    memoryGiB: z.number(),
    node: z.string(),
    commit: z.string(),
  }),
  /** How long each bench took. */
  seconds: z.record(z.string(), z.number()),
  contests: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      unit: z.string(),
      better: z.enum(['more', 'less']),
      target,
      contestant: z.object(side),
      others: z.array(z.object({ ...side, role: z.enum(['ceiling', 'rival', 'itself']), target })),
    }),
  ),
})

/** What one `npm run bench` came to. */
export interface Results extends Pick<z.infer<typeof FILE>, 'at' | 'machine' | 'seconds'> {
  readonly contests: readonly ContestResult[]
}

function isTarget(id: string): id is TargetId {
  return Object.hasOwn(TARGETS, id)
}

export async function writeResults(file: string, { contests, ...head }: Results): Promise<void> {
  await writeText(file, `${JSON.stringify({ format: FORMAT, ...head, contests }, undefined, 2)}\n`)
}

/** Into a folder that is made when it is absent. */
export async function writeText(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

/** @throws Error when the file is not there, or holds something else. */
export async function readResults(file: string): Promise<Results> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`${file} cannot be read: name a file that npm run bench has written.`, { cause })
  })
  const { data, error } = FILE.safeParse(parsed(text))
  if (error !== undefined) {
    throw new Error(`${file} does not hold results of this bench, make them anew: ${z.prettifyError(error)}`)
  }
  const { at, machine, seconds, contests } = data
  return { at, machine, seconds, contests: contests.map(resultOf) }
}

/** @returns undefined when it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A target that was judged, and by what. */
export interface Judged {
  readonly contest: ContestResult
  /** What the contestant is measured against; absent where its own figure is judged. */
  readonly other?: ContestResult['others'][number]
  readonly verdict: Verdict
  readonly measured: Spread
}

export function judged({ contests }: Pick<Results, 'contests'>): Judged[] {
  return contests.flatMap((contest) => {
    const { verdict, spread } = contest.contestant
    const own = verdict === undefined ? [] : [{ contest, verdict, measured: spread }]
    const others = contest.others.flatMap((other) =>
      other.verdict === undefined ? [] : [{ contest, other, verdict: other.verdict, measured: other.ratio }],
    )
    return [...own, ...others]
  })
}
