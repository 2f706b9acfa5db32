import type { ConformanceCase } from './case.js'
import { challengeCases } from './cases/challenge.js'
import { frameCases } from './cases/frames.js'
import { helloCases } from './cases/hello.js'
import { limitCases } from './cases/limits.js'
import { requestQuoteCases } from './cases/quotes.js'
import { requestCases } from './cases/request.js'
import { servingCases } from './cases/serving.js'
import { tokenCases } from './cases/tokens.js'
import { wantListCases } from './cases/want-lists.js'

/** All cases, in the order in which they are run; those that use up what a peer grants come last. */
export const CATALOGUE: readonly ConformanceCase[] = [
  ...frameCases,
  ...helloCases,
  ...tokenCases,
  ...challengeCases,
  ...requestQuoteCases,
  ...requestCases,
  ...wantListCases,
  ...servingCases,
  ...limitCases,
]
