import type { ConformanceCase } from './case.js'
import { askingCases } from './cases/asking.js'
import { challengeCases } from './cases/challenge.js'
import { checkingCases } from './cases/checking.js'
import { directoryCases } from './cases/directory.js'
import { frameCases } from './cases/frames.js'
import { helloCases } from './cases/hello.js'
import { limitCases } from './cases/limits.js'
import { patienceCases } from './cases/patience.js'
import { challengeQuoteCases, requestQuoteCases } from './cases/quotes.js'
import { receivingCases } from './cases/receiving.js'
import { recordCases } from './cases/records.js'
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
  ...askingCases,
  ...checkingCases,
  ...challengeQuoteCases,
  ...receivingCases,
  ...recordCases,
  ...directoryCases,
  ...patienceCases,
  ...limitCases,
]
