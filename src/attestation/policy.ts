import { fromHex, toHex } from '../crypto/index.js'
import type { Hex } from '../domain/index.js'

/** What an enclave is, as its CPU measured it: fields of the SGX report body. */
export interface EnclaveMeasurement {
  /** 32 bytes: the hash of the enclave's code and initial memory. */
  readonly mrEnclave: Hex
  /** 32 bytes: the hash of the key that signed the enclave. */
  readonly mrSigner: Hex
  /** ISVPRODID, a `u16`. */
  readonly productId: number
  /** ISVSVN, a `u16`. */
  readonly securityVersion: number
}

/** Exactly one build, or a signer's product from a version on. */
export type MeasurementRule =
  | { readonly mrEnclave: Hex }
  | { readonly mrSigner: Hex; readonly productId: number; readonly minimumSecurityVersion: number }

/** Which genuine enclaves are trusted. Debug enclaves never are: their memory is open to their host. */
export interface AttestationPolicy {
  readonly allowedMeasurements: readonly MeasurementRule[]
  /** Intel's TCB statuses that pass; `['UpToDate']` when absent. `Revoked` never passes. */
  readonly acceptedTcbStatuses?: readonly string[]
}

/** @throws SlotmeshError `crypto/not-hex` when a rule's measurement is not hexadecimal. */
export function measurementFilter(rules: readonly MeasurementRule[]): (measurement: EnclaveMeasurement) => boolean {
  const filters = rules.map((rule) => {
    if ('mrEnclave' in rule) {
      const mrEnclave = canonical(rule.mrEnclave)
      return (measurement: EnclaveMeasurement) => measurement.mrEnclave === mrEnclave
    }
    const mrSigner = canonical(rule.mrSigner)
    return (measurement: EnclaveMeasurement) =>
      measurement.mrSigner === mrSigner &&
      measurement.productId === rule.productId &&
      measurement.securityVersion >= rule.minimumSecurityVersion
  })
  return (measurement) => filters.some((allows) => allows(measurement))
}

/** People write hexadecimal in either case; quotes are printed in lower case. */
function canonical(hex: Hex): Hex {
  return toHex(fromHex(hex))
}
