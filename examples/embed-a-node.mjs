/*
 * Embeds nodes in a program. Five enclaves of one cluster take an owner's shares; the enclave in slot 0 of another
 * cluster finds its slot peer and fetches the share of its slot from it. After `npm ci`:
 *
 *     node examples/embed-a-node.mjs
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { accountSigner, createEnclaveNode, ownerStoreRequest, retrieveRequest, staticCollateral } from 'slotmesh'
import { Actors, createDevelopmentPki, developmentSigner, startDevelopmentChain } from 'slotmesh/simulation'

const BUILD = {
  tee: 'sgx',
  mrEnclave: `0x${'11'.repeat(32)}`,
  mrSigner: `0x${'22'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
}
const signal = AbortSignal.timeout(60_000)

// A chain to work on: here one in this program, which nodes reach by its socket like any other.
const owner = accountSigner(randomBytes(32))
const operators = Array.from({ length: 6 }, () => accountSigner(randomBytes(32)))
const endowed = [owner, ...operators].map(({ account }) => account)
const chain = await startDevelopmentChain({ blockTime: 500, endowed })
const actors = await Actors.connect({ endpoint: chain.url, committee: developmentSigner('Alice'), signal })

// On hardware, quotes come from the CPU and chain to Intel's root, which is the default; here everything is simulated.
const pki = await createDevelopmentPki({ seed: randomBytes(32) })
const folder = await mkdtemp(join(tmpdir(), 'slotmesh-example-'))

async function startNode(name, bootstrap) {
  const platform = pki.platform({ machineId: name, measurement: BUILD })
  const node = await createEnclaveNode({
    folder: join(folder, name),
    chain: { endpoints: [chain.url] },
    mesh: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap, allowPrivateAddresses: true },
    attestation: {
      quoteSource: platform.quoteSource,
      rootCertificate: pki.rootCertificate,
      collateral: staticCollateral(pki.collateral),
      policy: { allowedMeasurements: [{ mrEnclave: BUILD.mrEnclave }] },
    },
    sealingKey: platform.sealingKey(),
  })
  await node.start()
  return node
}

async function until(condition) {
  while (!(await condition())) await pause(100, undefined, { signal })
}

// Six nodes; the first one is how the others enter the mesh.
const first = await startNode('enclave-0', [])
const { multiaddrs } = await first.status()
const nodes = [first]
for (const name of ['enclave-1', 'enclave-2', 'enclave-3', 'enclave-4', 'replica']) {
  nodes.push(await startNode(name, multiaddrs))
}
const replica = nodes[5]

// Their operators register them; the committee gives five a seat in one cluster, and the sixth slot 0 of another.
const [origin, other] = [await actors.createCluster(), await actors.createCluster()]
const seats = nodes.map(({ account }, index) => ({
  account,
  operator: operators[index],
  cluster: index < 5 ? origin : other,
  slot: index % 5,
  apiUri: `https://enclave-${index}.invalid`,
}))
await actors.seat(seats)

// The replica says when a share has arrived.
const arrived = new Promise((resolve) => {
  replica.subscribe((event) => event.type === 'share-stored' && resolve(event))
})

// An owner mints a secret NFT and hands one share to each of the five. (A wallet would split a secret.)
const { nftId, block } = await actors.mint(owner, 'secret')
const shares = nodes.slice(0, 5).map(() => randomBytes(32).toString('hex'))
const key = { kind: 'secret', nftId }
await Promise.all(
  shares.map(async (share, slot) => {
    await until(async () => (await nodes[slot].status()).finalisedBlock >= block)
    const request = ownerStoreRequest({ owner, temporarySigner: accountSigner(randomBytes(32)), key, share, block })
    await nodes[slot].storeShare('secret', request, { signal })
  }),
)

// With the fifth confirmation the chain calls the NFT synced, and the replica fetches the share of its slot.
const { at, triggeredAt } = await arrived
console.log(`The share of NFT ${nftId} reached slot 0 of cluster ${other} ${at - triggeredAt} ms after its trigger.`)

// Its owner can have it back from the replica.
const { finalisedBlock } = await replica.status()
const request = retrieveRequest({ requester: owner, role: 'OWNER', key, block: finalisedBlock })
const retrieved = await replica.retrieveShare('secret', request, { signal })
console.log(Buffer.from(retrieved).toString() === shares[0] ? 'It is the same share.' : 'It is another share!')

for (const node of nodes) await node.stop()
await actors.close()
await chain.stop()
await rm(folder, { recursive: true })
