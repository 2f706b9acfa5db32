import { toSs58, zero } from '../../crypto/index.js'
import { CLUSTER_SIZE, type SlotId } from '../../domain/index.js'
import { splitSecret } from '../../owner/index.js'
import { fullClusters, withChain } from './asking.js'
import type { StoreFlags } from './flags.js'
import { handOver, requireWaiting } from './handing-over.js'
import { secretIn, signerOf } from './inputs.js'

export async function store(flags: StoreFlags, signal: AbortSignal): Promise<void> {
  const owner = await signerOf(flags.seedFile)
  const secret = await secretIn(flags.secretFile)
  try {
    const shares = await splitSecret(secret, flags.threshold)
    await withChain(flags.chain, async (chain) => {
      const [cluster] = fullClusters(chain, flags.cluster)
      if (cluster === undefined) return
      const key = { kind: flags.kind, nftId: flags.nft }
      requireWaiting(key, await chain.nft(key.nftId, { signal }), owner.account)
      const seatNow = (slot: SlotId) =>
        chain
          .registry()
          .clusters()
          .find(({ id }) => id === cluster.id)
          ?.seats.find((seat) => seat.slot === slot)
      const order = { cluster, seatNow, key, owner, shares, block: () => chain.finalised().number }
      await handOver(order, { signal, timeoutMs: flags.timeout, say: (line) => process.stderr.write(`${line}\n`) })
      process.stdout.write(
        `${CLUSTER_SIZE} of ${CLUSTER_SIZE} shares of the ${flags.kind} of NFT ${flags.nft} are kept by cluster ${cluster.id}, for ${toSs58(owner.account)}\n`,
      )
    })
  } finally {
    zero(secret)
  }
}
