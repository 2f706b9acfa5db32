export { formatScale } from './page.js'
export type { Phase } from './phases.js'
export { type ScaleOptions, type SizeResult, studyScale } from './study.js'
