import { freshVerifier } from '../../src/cli/bench/attestation.js'
import { input, report } from '../harness/child.js'
import { checkersOf } from './signatures.js'
import { type AttestationInput, type AttestationOutput, COLD, POLICY, platformQuotes, quickest, WARM } from './world.js'

const { tee } = input<AttestationInput>()
const { pki, quotes } = await platformQuotes(tee, WARM)
const remembering = freshVerifier(pki, POLICY)

// Each is done once before it is measured: the code has to be compiled in all cases, and what differs is what is remembered.
const measured = async <Item>(items: readonly Item[], work: (item: Item) => unknown): Promise<number> => {
  for (const item of items) await work(item)
  return quickest(items, work)
}
const output: AttestationOutput = {
  signatures: await measured(checkersOf(quotes), (check) => check()),
  warm: await measured(quotes, (quote) => remembering.verify(quote)),
  cold: await measured(quotes.slice(0, COLD), (quote) => freshVerifier(pki, POLICY).verify(quote)),
}
report(output)
