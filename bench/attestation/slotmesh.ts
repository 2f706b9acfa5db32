import { createQuoteVerifier, staticCollateral } from '../../src/attestation/index.js'
import { input, report } from '../harness/child.js'
import { type AttestationInput, type AttestationOutput, POLICY, platformQuotes, quickest, WARM_UP } from './world.js'

const { tee, isWarm, quotes: count } = input<AttestationInput>()
const { pki, quotes } = await platformQuotes(tee, count)

/** One that remembers nothing: no chain, and no collateral, of which each has a copy of its own. */
const freshVerifier = () =>
  createQuoteVerifier({
    rootCertificate: pki.rootCertificate,
    collateral: staticCollateral({ ...pki.collateral }, { ...pki.tdxCollateral }),
    policy: POLICY,
  })

const remembering = freshVerifier()
const verify = (quote: Uint8Array) => (isWarm ? remembering : freshVerifier()).verify(quote)

// The code has to be compiled in both cases; what is measured is what is remembered.
for (const quote of quotes.slice(0, WARM_UP)) await verify(quote)
report({ millisecondsEach: await quickest(quotes, verify) } satisfies AttestationOutput)
