import type { KeyObject, X509Certificate } from 'node:crypto'
import {
  authorityOf,
  canonicalPem,
  certificateValidity,
  isWithin,
  PCK_CHAIN,
  type PckPlatform,
  pckCaOf,
  readPckPlatform,
  readPemChain,
  serialOf,
  type Validity,
  verifyChain,
} from './certificates.js'
import { CheckFailed, checking } from './errors.js'

/** A platform's certificates, verified up to the root; dates and revocation are judged anew each time. */
export interface PckChain {
  /** Of the PCK, which signs reports of the quoting enclave. */
  readonly key: KeyObject
  /** Of the PCK's certificate and of its authority's. */
  readonly serials: { readonly pck: string; readonly authority: string }
  readonly authority: string
  readonly platform: PckPlatform
  readonly ca: 'platform' | 'processor'
  readonly validities: readonly Validity[]
}

/** As many as slot peers in a large mesh; one has about 10 kB. */
const MAXIMUM_CHAINS = 1_024

/** Verifies the chains that quotes carry, each only once while it is remembered. */
export class PckChains {
  readonly #root: X509Certificate
  readonly #maximum: number
  /**
   * By their canonical text, since one chain can be written in many ways; the one used last at the end. Only what stood
   * is kept: failing costs a peer its exchange.
   */
  readonly #verified = new Map<string, PckChain>()

  constructor(root: X509Certificate, maximum = MAXIMUM_CHAINS) {
    this.#root = root
    this.#maximum = maximum
  }

  /**
   * @param pem as the quote carries it.
   * @throws CheckFailed `pck-chain`, `pck-validity` when there is only the time to find fault with, or `form` when it is no
   * plain PEM.
   */
  verify(pem: string, now: Date): PckChain {
    const key = canonicalPem(pem)
    const known = this.#verified.get(key)
    const chain = known ?? this.#verifyAnew(pem, now)
    if (!areValid(chain.validities, now)) {
      throw new CheckFailed('pck-validity', 'a certificate of its PCK chain is not valid now')
    }
    this.#verified.delete(key)
    this.#verified.set(key, chain)
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size <= this.#maximum) break
      this.#verified.delete(oldest)
    }
    return chain
  }

  #verifyAnew(pem: string, now: Date): PckChain {
    const certificates = checking('form', () => readPemChain(pem, this.#root))
    return checking('pck-chain', () => {
      const validities = [...certificates, this.#root].map(certificateValidity)
      // Dates are judged by the caller: a genuine chain that has run out, by this clock, is to be told from a forged one.
      const at = areValid(validities, now) ? now : lastStart(validities)
      const [pck, authority] = verifyChain(certificates, PCK_CHAIN, this.#root, at)
      if (pck === undefined || authority === undefined || pck.ca) throw new Error('its PCK certificate is a CA')
      return {
        key: pck.publicKey,
        serials: { pck: serialOf(pck.serialNumber), authority: serialOf(authority.serialNumber) },
        authority: authorityOf(authority),
        platform: readPckPlatform(pck),
        ca: pckCaOf(authority.subject),
        validities,
      }
    })
  }
}

function areValid(validities: readonly Validity[], now: Date): boolean {
  return validities.every((validity) => isWithin(validity, now))
}

/** When all were valid, if ever they were. */
function lastStart(validities: readonly Validity[]): Date {
  return new Date(Math.max(...validities.map(({ from }) => from.getTime())))
}
