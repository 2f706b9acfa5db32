/*
 * Gives enclaves seats on a development chain, as their operators and the committee would:
 *
 *     node register.mjs ws://127.0.0.1:9944 http://127.0.0.1:9700 …
 *
 * It is told where up to five enclaves' status pages are. Enclaves that have a seat keep it.
 */
import { Actors, developmentSigner } from 'slotmesh/simulation'

const OPERATORS = ['Alice', 'Bob', 'Charlie', 'Dave', 'Eve']
const PATIENCE_MS = 120_000

const [endpoint, ...pages] = process.argv.slice(2)
const signal = AbortSignal.timeout(PATIENCE_MS)

/** Enclaves may be starting still. */
async function whoIs(page) {
  for (;;) {
    try {
      const response = await fetch(new URL('/status.json', page), { signal })
      return (await response.json()).who
    } catch (thrown) {
      signal.throwIfAborted()
      console.error(`${page} does not answer yet: ${thrown.message}`)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
}

const enclaves = await Promise.all(pages.map(whoIs))
if (enclaves.every(({ seat }) => seat !== undefined)) {
  console.log('All have seats already.')
} else {
  const actors = await Actors.connect({ endpoint, committee: developmentSigner('Alice'), signal })
  const cluster = await actors.createCluster()
  await actors.seat(
    enclaves.map(({ account }, slot) => ({
      account,
      operator: developmentSigner(OPERATORS[slot]),
      cluster,
      slot,
      apiUri: `http://127.0.0.1:${8000 + slot}`,
    })),
  )
  await actors.close()
  console.log(`${enclaves.length} enclaves have seats in cluster ${cluster}.`)
}
