/*
 * Does with the published client, as it is, what its users do. Reads its orders as JSON from the standard input, and
 * writes what came of them as JSON to the standard output.
 */
const { json } = require('node:stream/consumers')
const { setTimeout: pause } = require('node:timers/promises')
const ternoa = require('ternoa-js')
const { getCapsuleNFTPrivateKey } = require('ternoa-js/helpers/nft')

/** Of what is only there after some blocks, ms. */
const TRY_EVERY_MS = 1_000
const TRY_FOR_MS = 120_000

async function patiently(ask) {
  const end = Date.now() + TRY_FOR_MS
  for (;;) {
    try {
      return await ask()
    } catch (thrown) {
      if (Date.now() > end) throw thrown
      await pause(TRY_EVERY_MS)
    }
  }
}

async function retrieved(owner, kind, nftId, cluster) {
  return patiently(async () => {
    const payload = await ternoa.formatRetrievePayload(owner, 'OWNER', nftId, await ternoa.getLastBlock())
    const shares = await ternoa.teeKeySharesRetrieve(cluster, kind, payload)
    return { count: shares.length, secret: ternoa.combineKeyShares(shares) }
  })
}

async function main() {
  const orders = await json(process.stdin)
  const [home, away] = orders.clusters
  await ternoa.initializeApi(orders.endpoint)
  const owner = await ternoa.getKeyringFromSeed(orders.ownerSeed)
  const metrics = await ternoa.getKeyringFromSeed(orders.metricsSeed)
  const done = { stored: {}, retrieved: {}, available: {} }
  done.health = await patiently(() => ternoa.getEnclaveHealthStatus(home))
  done.data = await ternoa.getEnclaveDataAndHealth(home)
  done.quotes = await ternoa.getEnclavesQuote(home)
  done.firstPublic = await ternoa.getFirstPublicClusterAvailable()
  for (const kind of ['secret', 'capsule']) {
    const { nftId, secret } = orders[kind]
    done.available[`${kind} before`] = await ternoa.sharesAvailableOnTeeCluster(home, nftId, kind).catch(() => false)
    done.stored[kind] = await ternoa.prepareAndStoreKeyShares(secret, owner, nftId, kind, undefined, home)
    done.available[kind] = await ternoa.sharesAvailableOnTeeCluster(home, nftId, kind)
    done.retrieved[`${kind} at home`] = await retrieved(owner, kind, nftId, home)
    done.retrieved[`${kind} away`] = await retrieved(owner, kind, nftId, away)
  }
  done.capsuleKey = await getCapsuleNFTPrivateKey(orders.capsule.nftId, owner, 'OWNER', undefined, home)
  const interval = [0, (await ternoa.getLastBlock()) + 1]
  done.listed = await ternoa.teeNFTReconciliation(home, interval, metrics)
  done.removed = await ternoa.teeKeySharesRemove(home, 'secret', owner.address, orders.secret.nftId)
  process.stdout.write(JSON.stringify(done), () => process.exit(0))
}

main().catch((thrown) => {
  process.stderr.write(`${thrown.stack}\n`, () => process.exit(1))
})
