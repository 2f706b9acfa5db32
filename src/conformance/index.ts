/*
 * The package's third door, `slotmesh/conformance`: judges any implementation of `/ternoa/share/1`.
 */
export type { ConformanceCase } from './case.js'
export { startCommand } from './command.js'
export {
  type ConformanceOptions,
  type ConformanceReport,
  catalogueCoverage,
  chosenCases,
  runConformance,
} from './conformance.js'
export { formatCase, formatCoverage, formatResult, formatSummary, toJson, toJunit } from './report.js'
export type { CaseResult, Verdict } from './runner.js'
export type { Coverage, Requirement } from './specification.js'
export type { Target } from './target.js'
