/*
 * An enclave's confirmations in a process of its own, which a test kills and starts again on the same folder. The
 * shares are handed over in its first life; it ends once all of them are confirmed.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connectChain } from '../../../src/chain/index.js'
import { openStore } from '../../../src/store/index.js'
import { Ingest } from '../../../src/sync/index.js'
import { payloadOf, sealingKey, secret } from '../store/fixture.js'
import { own } from '../sync/fixture.js'
import { enclaveOf, logger } from './fixture.js'

const [url = '', location = '', slot, ...nfts] = process.argv.slice(2)
const keys = nfts.map((nftId) => secret(Number(nftId)))

const chain = await connectChain({ endpoints: [url], logger })
const store = await openStore({ location, sealingKey, logger })
if ((await store.identity()) === undefined) {
  await store.beginSetup(own.identity, 0, [])
  for (const key of keys) await store.putPending({ key, payload: payloadOf(key), confirmed: false })
}
const end = new AbortController()
const ingest = new Ingest({
  signer: enclaveOf(0, Number(slot)),
  chain,
  store,
  caughtUp: async () => undefined,
  logger,
  lifetime: end.signal,
})
const run = ingest.run()
for (const key of keys) while (!(await store.pending(key))?.confirmed) await nextTurn()
end.abort()
await run
await chain.close()
await store.close()
