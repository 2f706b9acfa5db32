import { freshVerifier } from '../../src/cli/bench/attestation.js'
import { input, report } from '../harness/child.js'
import { type AttestationInput, type AttestationOutput, POLICY, platformQuotes, quickest, WARM_UP } from './world.js'

const { tee, isWarm, quotes: count } = input<AttestationInput>()
const { pki, quotes } = await platformQuotes(tee, count)

const remembering = freshVerifier(pki, POLICY)
const verify = (quote: Uint8Array) => (isWarm ? remembering : freshVerifier(pki, POLICY)).verify(quote)

// The code has to be compiled in both cases; what is measured is what is remembered.
for (const quote of quotes.slice(0, WARM_UP)) await verify(quote)
report({ millisecondsEach: await quickest(quotes, verify) } satisfies AttestationOutput)
