import assert from 'node:assert/strict'
import { multiaddr } from '@multiformats/multiaddr'
import { createQuoteVerifier, staticCollateral } from '../../../src/attestation/index.js'
import { createHost } from '../../../src/conformance/members.js'
import { Service } from '../../../src/conformance/service.js'
import { MEASUREMENT, SLOT, Stage } from '../../../src/conformance/stage.js'
import { targetOf } from '../../../src/conformance/target.js'
import { accountSigner, fromHex, toHex } from '../../../src/crypto/index.js'
import { type LogFields, silentLogger } from '../../../src/domain/index.js'
import type { MeshHost } from '../../../src/mesh/index.js'
import type { NodeEvent } from '../../../src/node/index.js'
import { SHARE_PROTOCOL } from '../../../src/share/index.js'
import { waitUntil } from '../../../src/simulation/wait.js'
import { Peer } from '../../independent/peer.js'
import { startNode } from '../conformance/node.js'

/** A whole node, an enclave of another make that is honest, and one with a seat that is not. */
describe('a node and a peer that offends', function () {
  this.timeout(60_000)
  const stopping = new AbortController()
  const { signal } = stopping
  const warnings: LogFields[] = []
  const events: NodeEvent[] = []
  let stage: Stage
  let service: Service
  let honest: Peer
  let hostile: MeshHost
  let started: Awaited<ReturnType<typeof startNode>>

  before(async () => {
    stage = await Stage.open(signal)
    const { pki, cast } = stage
    const verifier = createQuoteVerifier({
      rootCertificate: pki.rootCertificate,
      collateral: staticCollateral(pki.collateral),
      policy: { allowedMeasurements: [{ mrEnclave: MEASUREMENT.mrEnclave }] },
    })
    service = await Service.start(stage, verifier)
    const [mine, theirs] = [cast.origins[0]?.enclaves[SLOT], cast.origins[1]?.enclaves[SLOT]]
    assert.ok(mine && theirs)
    const target = targetOf(stage, service.urls, [])
    honest = await Peer.start(
      { ...target, account: mine.signer.account, accountSeed: '', cluster: mine.cluster, slot: SLOT },
      { account: fromHex(mine.signer.account), sign: mine.signer.sign },
    )
    const bootstrap = honest.libp2p.getMultiaddrs().map(String)
    started = await startNode(
      { ...target, account: cast.peer.signer.account, accountSeed: toHex(cast.peerSeed), cluster: 0, bootstrap },
      {
        mesh: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap, allowPrivateAddresses: true },
        logger: { ...silentLogger, warn: (_, fields = {}) => warnings.push(fields) },
      },
    )
    started.node.subscribe((event) => events.push(event))
    hostile = await createHost(stage, theirs.signer)
    await hostile.start()
    await hostile.publish({ cluster: theirs.cluster, slot: SLOT })
  })

  after(async () => {
    await started.stop()
    await hostile.stop()
    await honest.stop()
    await service.stop()
    stopping.abort()
    await stage.close()
  })

  async function fetched(): Promise<void> {
    const [origin] = stage.cast.origins
    assert.ok(origin)
    const [minted] = await stage.mint('secret', origin, 1)
    assert.ok(minted)
    const version = await stage.sync([minted])
    honest.vouch({ kind: 'SECRET', nftId: minted.key.nftId, version, payload: new Uint8Array(600).fill(1) })
    const look = async () => {
      for await (const { nftId } of started.node.heldShares()) if (nftId === minted.key.nftId) return true
      return undefined
    }
    await waitUntil(look, { what: () => 'the share was not fetched', timeoutMs: 30_000, signal })
  }

  it('names it once in the log, in an event, in its status and its health, and has nothing to do with it for a while', async () => {
    const { node } = started
    const { multiaddrs } = await node.status()
    const who = hostile.peerId.toString()
    const isShut = async () => ((await node.status()).offences.shut > 0 ? true : undefined)
    const offend = async () => {
      try {
        const stream = await hostile.libp2p.dialProtocol(multiaddr(multiaddrs[0]), SHARE_PROTOCOL, { signal })
        stream.send(Uint8Array.of(3, 0xff, 0xff, 0xff))
        await stream.close({ signal })
      } catch (thrown) {
        assert.ok(thrown instanceof Error)
      }
      return isShut()
    }
    await waitUntil(offend, { what: () => 'it was not shut out', timeoutMs: 20_000, signal })

    const { offences, problems } = await node.status()
    assert.equal(offences.worst[0]?.who, who)
    assert.ok((offences.byKind.malformed ?? 0) >= 3)
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['mesh/offenders'],
    )
    assert.match(problems[0]?.sentence ?? '', new RegExp(who))
    const shut = events.filter(({ type }) => type === 'peer-shut-out')
    assert.equal(shut.length, 1)
    assert.equal(warnings.filter((fields) => fields.who === who).length, 1)

    // Its connections are closed, and it gets no other.
    const isGone = async () => (hostile.libp2p.getConnections().some(isToNode) ? undefined : true)
    const isToNode = ({ remotePeer }: { remotePeer: { toString(): string } }) => remotePeer.toString() === node.peerId
    await waitUntil(isGone, { what: () => 'it is still connected', timeoutMs: 20_000, signal })
    await assert.rejects(async () => {
      const stream = await hostile.libp2p.dialProtocol(multiaddr(multiaddrs[0]), SHARE_PROTOCOL, { signal })
      stream.send(Uint8Array.of(0))
      await new Promise((_, reject) =>
        stream.addEventListener('close', ({ error }) => reject(error ?? new Error('closed'))),
      )
    })
    await fetched()
  })

  it('has no more to do with a stranger that offends by the other protocol', async () => {
    const { node } = started
    const { multiaddrs } = await node.status()
    const stranger = await createHost(stage, accountSigner(new Uint8Array(32).fill(77)))
    await stranger.start()
    const who = stranger.peerId.toString()
    const offend = async () => {
      try {
        const stream = await stranger.libp2p.dialProtocol(multiaddr(multiaddrs[0]), '/ternoa/reconcile/1', { signal })
        stream.send(Uint8Array.of(1, 0xff))
        await stream.close({ signal })
      } catch (thrown) {
        assert.ok(thrown instanceof Error)
      }
      const { offences } = await node.status()
      return offences.worst.some((each) => each.who === who && each.shutUntil !== undefined) ? true : undefined
    }
    try {
      await waitUntil(offend, { what: () => 'it was not shut out', timeoutMs: 20_000, signal })
    } finally {
      await stranger.stop()
    }
  })
})
