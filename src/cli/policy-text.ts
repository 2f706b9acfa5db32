import type { AttestationPolicy, MeasurementRule } from '../attestation/index.js'

/** A policy in words, line by line; nothing that it says is left out. */
export function describePolicy(policy: AttestationPolicy, trust: { readonly isSimulated: boolean }): string[] {
  const { tcbExceptions = [], minimumTcbEvaluationDataNumber, maximumCollateralAgeDays } = policy
  return [
    'Root of trust',
    trust.isSimulated
      ? '  the development PKI: simulated quotes pass, and they prove nothing'
      : '  Intel SGX Root CA, for SGX and for TDX',
    'Allowed builds',
    ...policy.allowedMeasurements.flatMap(describeRule).map(indented),
    '  debug enclaves: never',
    'Accepted platforms',
    '  UpToDate',
    ...tcbExceptions.map(({ status, advisoryIds, until }) => {
      const openTo = advisoryIds.length === 0 ? 'open to no named advisory' : `open to ${advisoryIds.join(', ')}`
      return `  ${status} when ${openTo}, until ${until}`
    }),
    '  Revoked: never',
    'Collateral',
    `  evaluation data number: ${minimumTcbEvaluationDataNumber === undefined ? 'any' : `at least ${minimumTcbEvaluationDataNumber}`}`,
    `  age: ${maximumCollateralAgeDays === undefined ? 'as long as Intel calls it valid' : `at most ${maximumCollateralAgeDays} days`}`,
  ]
}

function describeRule(rule: MeasurementRule): string[] {
  const until = rule.untilBlock === undefined ? '' : `, until block ${rule.untilBlock}`
  if ('mrEnclave' in rule) return [`SGX build MRENCLAVE ${rule.mrEnclave}${until}`]
  if ('mrSigner' in rule) {
    const product = `product ${rule.productId} from security version ${rule.minimumSecurityVersion}`
    return [`SGX signer MRSIGNER ${rule.mrSigner}, ${product}${until}`]
  }
  const registers = (['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const).map(
    (name) => `  ${name.toUpperCase()} ${rule[name]}`,
  )
  return [`TDX image MRTD ${rule.mrTd}${until}`, ...registers]
}

function indented(line: string): string {
  return `  ${line}`
}
