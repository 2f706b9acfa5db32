import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createQuoteVerifier, staticCollateral } from '../../../src/attestation/index.js'
import { Service } from '../../../src/conformance/service.js'
import { MEASUREMENT, SLOT, Stage } from '../../../src/conformance/stage.js'
import { targetOf } from '../../../src/conformance/target.js'
import { fromHex } from '../../../src/crypto/index.js'
import type { ShareKey } from '../../../src/domain/index.js'
import type { EnclaveNode } from '../../../src/node/index.js'
import { Peer } from '../../independent/peer.js'
import type { Kind } from '../../vectors/wire.js'
import { startNode } from '../conformance/node.js'

const KINDS = { secret: 'SECRET', capsule: 'CAPSULE' } as const satisfies Record<ShareKey['kind'], Kind>

/** Resolves when the node holds it, sealed and durable. */
async function stored(node: EnclaveNode, { kind, nftId }: ShareKey): Promise<void> {
  const seen = new EventTarget()
  const unsubscribe = node.subscribe((event) => {
    const isIt = event.type === 'share-stored' && event.key.kind === kind && event.key.nftId === nftId
    if (isIt) seen.dispatchEvent(new Event('stored'))
  })
  try {
    const waiting = once(seen, 'stored', { signal: AbortSignal.timeout(30_000) })
    for await (const held of node.heldShares()) if (held.kind === kind && held.nftId === nftId) return
    await waiting
  } finally {
    unsubscribe()
  }
}

/**
 * test/independent is a second implementation, written from protocols/ alone: it and a node of this project hand shares
 * to each other, over TCP, on a chain, with quotes.
 */
describe('an independent peer and a node', function () {
  this.timeout(90_000)

  for (const suite of [2, 1] as const) {
    it(`hand shares to each other, sealed in suite ${suite}`, async () => {
      const stopping = new AbortController()
      const stage = await Stage.open(stopping.signal)
      const { pki } = stage
      const verifier = createQuoteVerifier({
        rootCertificate: pki.rootCertificate,
        collateral: staticCollateral(pki.collateral),
        policy: { allowedMeasurements: [{ mrEnclave: MEASUREMENT.mrEnclave }] },
      })
      const service = await Service.start(stage, verifier)
      const target = targetOf(stage, service.urls, [])
      const [origin] = stage.cast.origins
      const other = origin?.enclaves[SLOT]
      if (origin === undefined || other === undefined) assert.fail()
      const { node, stop } = await startNode(target, { share: { suites: [suite] } })
      const bootstrap = (await node.status()).multiaddrs
      const seated = { account: other.signer.account, accountSeed: '', cluster: other.cluster, slot: SLOT }
      const identity = { account: fromHex(other.signer.account), sign: other.signer.sign }
      const independent = await Peer.start({ ...target, ...seated, bootstrap }, identity)
      try {
        for (const kind of ['secret', 'capsule'] as const) {
          const minted = await stage.mint(kind, origin, 1)
          const version = await stage.sync(minted)
          const key = minted[0]?.key
          if (key === undefined) assert.fail()
          const payload = new Uint8Array(600).fill(key.nftId + 1)
          const share = { kind: KINDS[kind], nftId: key.nftId, version, payload }
          independent.vouch(share)
          await stored(node, key)

          // It has lost the share: the node gives it back, with what proves it.
          independent.store.remove(share.kind, share.nftId)
          assert.equal(independent.store.held(share.kind, share.nftId), undefined)
          const want = { kind: share.kind, nftId: share.nftId, minimumVersion: version, origin: other.cluster }
          const deadline = AbortSignal.timeout(30_000)
          const back = await independent.fetch(want, deadline)
          assert.deepEqual(back, share)
        }
      } finally {
        await independent.stop()
        await stop()
        await service.stop()
        stopping.abort()
        await stage.close()
      }
    })
  }
})
