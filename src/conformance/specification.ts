import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { ConformanceCase, SpecName } from './case.js'

/** A sentence, or an item of a list, that says what MUST or MUST NOT be. */
export interface Requirement {
  readonly spec: SpecName
  readonly clause: string
  readonly sentence: string
}

/** A requirement that no black box shows. */
export interface Unseen {
  readonly spec: SpecName
  readonly clause: string
  readonly quote: string
  readonly reason: string
}

const SPECS = {
  share: 'protocols/share/1/SPEC.md',
  'enclave-record': 'protocols/enclave-record/1/SPEC.md',
} as const satisfies Record<SpecName, string>

/** The text of a specification, as it comes with this package, by clause. */
export function clausesOf(spec: SpecName): ReadonlyMap<string, string> {
  const require = createRequire(import.meta.url)
  const text = readFileSync(require.resolve('slotmesh/package.json').replace(/package\.json$/, SPECS[spec]), 'utf8')
  const clauses = new Map<string, string>()
  let clause = ''
  for (const line of text.split('\n')) {
    const heading = /^#{2,4} (?:(\d+(?:\.\d+)*)\.? )?/.exec(line)
    // Headings without a number belong to the clause above them.
    if (heading?.[1] !== undefined) clause = heading[1]
    if (heading === null) clauses.set(clause, `${clauses.get(clause) ?? ''}${line}\n`)
    else clauses.set(clause, `${clauses.get(clause) ?? ''}\n`)
  }
  return new Map([...clauses].map(([name, body]) => [name, body]))
}

/** All requirements of a specification, in its order. */
export function requirementsOf(spec: SpecName): Requirement[] {
  const found: Requirement[] = []
  for (const [clause, body] of clausesOf(spec)) {
    for (const sentence of sentencesOf(body)) {
      if (!/\bMUST\b/.test(sentence) || /key words MUST/.test(sentence)) continue
      found.push({ spec, clause, sentence })
    }
  }
  return found
}

/** Whether some words stand in a clause; how they are broken into lines does not count. */
export function stands(spec: SpecName, clause: string, quote: string): boolean {
  return flat(clausesOf(spec).get(clause) ?? '').includes(flat(quote))
}

/** Which requirements of the specifications have cases, which cannot have any, and which lack them. */
export interface Coverage {
  readonly covered: readonly { readonly requirement: Requirement; readonly cases: readonly string[] }[]
  readonly unseen: readonly { readonly requirement: Requirement; readonly reason: string }[]
  readonly uncovered: readonly Requirement[]
}

/** Which requirements have a case. */
export function coverageOf(cases: readonly ConformanceCase[], unseen: readonly Unseen[]): Coverage {
  const requirements = [...requirementsOf('share'), ...requirementsOf('enclave-record')]
  const about = (requirement: Requirement) => (each: { spec: SpecName; clause: string; quote: string }) =>
    each.spec === requirement.spec && each.clause === requirement.clause && meets(requirement.sentence, each.quote)
  const judged = requirements.map((requirement) => ({
    requirement,
    cases: cases.filter(about(requirement)).map(({ id }) => id),
    reason: unseen.find(about(requirement))?.reason,
  }))
  return {
    covered: judged.filter(({ cases }) => cases.length > 0),
    unseen: judged.flatMap(({ requirement, cases, reason }) =>
      cases.length === 0 && reason !== undefined ? [{ requirement, reason }] : [],
    ),
    uncovered: judged.flatMap(({ requirement, cases, reason }) =>
      cases.length === 0 && reason === undefined ? [requirement] : [],
    ),
  }
}

function meets(sentence: string, quote: string): boolean {
  return flat(sentence).includes(flat(quote)) || flat(quote).includes(flat(sentence))
}

/** Paragraphs and list items, cut into sentences; tables and code have none. */
function sentencesOf(body: string): string[] {
  const withoutCode = body.replace(/```[\s\S]*?```/g, '\n\n')
  const blocks = withoutCode.split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|\n(?=\|)/)
  return blocks
    .map((block) => flat(block).replace(/^(?:[-*]|\d+\.) /, ''))
    .flatMap((block) => block.split(/(?<=[.;:]) (?=[A-Z_`(])/))
    .filter((sentence) => sentence !== '')
}

function flat(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
