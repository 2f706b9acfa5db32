import type { ConformanceCase } from './case.js'
import { frameCases } from './cases/frames.js'
import { helloCases } from './cases/hello.js'
import { tokenCases } from './cases/tokens.js'

/** All cases, in the order in which they are run. */
export const CATALOGUE: readonly ConformanceCase[] = [...frameCases, ...helloCases, ...tokenCases]
