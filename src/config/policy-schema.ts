import { z } from 'zod'
import { type AttestationPolicy, EXCUSABLE_TCB_STATUSES, type MeasurementRule } from '../attestation/index.js'
import { hex } from './values.js'
import { wordsOf } from './words.js'

const untilBlock = z.int().min(0).max(0xffff_ffff).optional()
const u16 = z.int().min(0).max(0xffff)
const register = hex(48)
const registerOrAny = z.union([register, z.literal('any')], {
  error: 'takes 48 bytes in hexadecimal (0x…), or the word any',
})

const RULES = {
  mrEnclave: z.strictObject({ mrEnclave: hex(32), untilBlock }),
  mrSigner: z.strictObject({ mrSigner: hex(32), productId: u16, minimumSecurityVersion: u16, untilBlock }),
  mrTd: z.strictObject({
    mrTd: register,
    rtmr0: registerOrAny,
    rtmr1: registerOrAny,
    rtmr2: registerOrAny,
    rtmr3: registerOrAny,
    untilBlock,
  }),
}

/** The same for those who only look at its form, such as editors. */
export const MeasurementRuleForms = z.union(Object.values(RULES))

/** Which of the three kinds a rule is of shows in the one name that it must have; only then can the rest be judged. */
export const MeasurementRuleSchema = z.unknown().transform((given, context): MeasurementRule => {
  const isObject = typeof given === 'object' && given !== null
  const kinds = (['mrEnclave', 'mrSigner', 'mrTd'] as const).filter((name) => isObject && name in given)
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    context.addIssue({ code: 'custom', message: 'must have exactly one of mrEnclave, mrSigner and mrTd' })
    return z.NEVER
  }
  const { data, error } = RULES[kind].safeParse(given)
  if (data !== undefined) return data
  const known = Object.keys(RULES[kind].shape)
  for (const issue of error.issues)
    context.addIssue({ code: 'custom', path: issue.path, message: wordsOf(issue, known) })
  return z.NEVER
})

const TcbExceptionSchema = z.strictObject({
  status: z.enum(EXCUSABLE_TCB_STATUSES),
  advisoryIds: z.array(z.string().regex(/^INTEL-SA-\d+$/, 'is not an advisory such as INTEL-SA-00615')).max(256),
  until: z.iso.datetime({ error: 'takes a time such as 2027-03-31T00:00:00Z' }),
})

/** An attestation policy as it stands in a file. */
export const PolicySchema: z.ZodType<AttestationPolicy> = z.strictObject({
  allowedMeasurements: z.array(MeasurementRuleSchema).min(1, 'must allow at least one build').max(256),
  tcbExceptions: z.array(TcbExceptionSchema).max(256).optional(),
  minimumTcbEvaluationDataNumber: z.int().min(0).max(0xffff_ffff).optional(),
  maximumCollateralAgeDays: z.number().positive().max(3650).optional(),
})
