/**
 * The package's third door: judges any implementation of `/ternoa/share/1` ({@link runConformance}).
 *
 * @module slotmesh/conformance
 */
export type { ConformanceCase, SpecName } from './case.js'
export { type StartedPeer, startCommand } from './command.js'
export {
  type ConformanceOptions,
  type ConformanceReport,
  catalogueCoverage,
  chosenCases,
  runConformance,
} from './conformance.js'
export { formatCase, formatCoverage, formatResult, formatSummary, toJson, toJunit } from './report.js'
export type { CaseResult, Verdict } from './runner.js'
export type { ServiceUrls } from './service.js'
export type { Coverage, Requirement } from './specification.js'
export type { Target } from './target.js'
