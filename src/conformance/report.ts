import type { ConformanceCase } from './case.js'
import type { ConformanceReport } from './conformance.js'
import type { CaseResult, Verdict } from './runner.js'
import type { Coverage, Requirement } from './specification.js'

const MARKS: Record<Verdict, string> = { passed: 'ok  ', warned: 'warn', failed: 'FAIL', 'not-judged': '??  ' }

/** One line of the table, or two when there is something to say. */
export function formatResult({ case: { id, spec, clause, sent, expected }, verdict, reason }: CaseResult): string {
  const line = `${MARKS[verdict]}  ${id.padEnd(10)}  ${clauseText(spec, clause).padEnd(10)}  ${sent}`
  return reason === undefined ? line : `${line}\n      expected ${expected}; ${reason}`
}

/** The end of the table: counts, and the requirements that no case is about. */
export function formatSummary({ results, coverage, passed }: ConformanceReport): string {
  const count = (verdict: Verdict) => results.filter((result) => result.verdict === verdict).length
  const counts = [
    `${count('passed')} passed`,
    ...(count('warned') > 0 ? [`${count('warned')} with warnings`] : []),
    ...(count('failed') > 0 ? [`${count('failed')} failed`] : []),
    ...(count('not-judged') > 0 ? [`${count('not-judged')} not judged`] : []),
  ]
  return [formatCoverage(coverage), `${results.length} cases: ${counts.join(', ')}`, passed ? 'PASS' : 'FAIL'].join(
    '\n',
  )
}

/** What of the specifications is tested. */
export function formatCoverage({ covered, unseen, uncovered }: Coverage): string {
  const all = covered.length + unseen.length + uncovered.length
  const head = `${all} requirements: ${covered.length} with cases, ${unseen.length} not to be seen from outside, ${uncovered.length} uncovered`
  return [head, ...uncovered.map((requirement) => `  uncovered: ${requirementText(requirement)}`)].join('\n')
}

/** What a case is about, for `--list`. */
export function formatCase({ id, spec, clause, role, sent, expected, level, slow }: ConformanceCase): string {
  const notes = [...(level === 'should' ? ['SHOULD'] : []), ...(slow ? ['slow'] : [])]
  const head = [id.padEnd(10), clauseText(spec, clause).padEnd(10), role.padEnd(9), ...notes].join('  ')
  return `${head.trimEnd()}\n    ${sent}\n    -> ${expected}`
}

/** What a machine reads. */
export function toJson({ results, coverage, passed }: ConformanceReport): string {
  const plain = {
    passed,
    cases: results.map(({ case: { run: _run, ...about }, verdict, reason, durationMs }) => ({
      ...about,
      verdict,
      reason: reason ?? null,
      durationMs,
    })),
    coverage,
  }
  return `${JSON.stringify(plain, undefined, 2)}\n`
}

/** JUnit's XML, as continuous integration servers read it; a suite for each family of cases. */
export function toJunit({ results }: ConformanceReport): string {
  const families = new Map<string, CaseResult[]>()
  for (const result of results) {
    const family = result.case.id.replace(/-\d+$/, '')
    families.set(family, [...(families.get(family) ?? []), result])
  }
  const suites = [...families].map(([family, of]) => {
    const failures = of.filter(({ verdict }) => verdict === 'failed').length
    const errors = of.filter(({ verdict }) => verdict === 'not-judged').length
    const attributes = `name="${family}" tests="${of.length}" failures="${failures}" errors="${errors}"`
    return [`  <testsuite ${attributes} time="${seconds(of)}">`, ...of.map(testCase), '  </testsuite>'].join('\n')
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="slotmesh conformance">',
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function testCase(result: CaseResult): string {
  const { case: about, verdict, reason = '' } = result
  const name = escaped(`${about.id} ${clauseText(about.spec, about.clause)}: ${about.sent}`)
  const open = `    <testcase classname="${about.id.replace(/-\d+$/, '')}" name="${name}" time="${seconds([result])}"`
  const message = escaped(`expected ${about.expected}; ${reason}`)
  if (verdict === 'failed') return `${open}><failure message="${message}"/></testcase>`
  if (verdict === 'not-judged') return `${open}><error message="${message}"/></testcase>`
  if (verdict === 'warned') return `${open}><system-out>${message}</system-out></testcase>`
  return `${open}/>`
}

function seconds(results: readonly CaseResult[]): string {
  return (results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000).toFixed(3)
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  // Control characters have no place in XML, escaped or not; a peer's words may hold some.
  return [...text].map((letter) => (letter < ' ' ? ' ' : (names[letter] ?? letter))).join('')
}

function clauseText(spec: ConformanceCase['spec'], clause: string): string {
  return spec === 'share' ? clause : `record ${clause}`
}

function requirementText({ spec, clause, sentence }: Requirement): string {
  return `${clauseText(spec, clause)}: ${sentence}`
}
