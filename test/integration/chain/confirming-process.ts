/*
 * An enclave's confirmations in a process of its own, which a test kills and starts again on the same folder. The
 * shares are handed over in its first life; it ends once all of them are confirmed, or when its parent does.
 */
import { connectChain } from '../../../src/chain/index.js'
import { shareKeyText } from '../../../src/domain/index.js'
import { openStore } from '../../../src/store/index.js'
import { Ingest } from '../../../src/sync/index.js'
import { payloadOf, sealingKey, secret } from '../store/fixture.js'
import { own } from '../sync/fixture.js'
import { enclaveOf, logger } from './fixture.js'

const [url = '', location = '', slot, ...nfts] = process.argv.slice(2)
const keys = nfts.map((nftId) => secret(Number(nftId)))
process.on('disconnect', () => process.exit(0))

const chain = await connectChain({ endpoints: [url], logger })
const store = await openStore({ location, sealingKey, logger })
if ((await store.identity()) === undefined) {
  await store.beginSetup(own.identity, 0, [])
  for (const key of keys) await store.putPending({ key, payload: payloadOf(key), confirmed: false })
}
const left = new Set<string>()
for (const key of keys) if (!(await store.pending(key))?.confirmed) left.add(shareKeyText(key))
const allConfirmed = new Promise<void>((resolve) => {
  if (left.size === 0) resolve()
  const markConfirmed = store.markConfirmed.bind(store)
  store.markConfirmed = async (key) => {
    const isMarked = await markConfirmed(key)
    left.delete(shareKeyText(key))
    if (left.size === 0) resolve()
    return isMarked
  }
})
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
await allConfirmed
end.abort()
await run
await chain.close()
await store.close()
process.disconnect()
