export { formatScale } from './page.js'
export { type ScaleOptions, type SizeResult, studyScale } from './study.js'
