// As in src/mesh/host.ts.
import 'core-js/actual/promise/with-resolvers.js'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { createDevelopmentPki } from '../../src/attestation/development/index.js'
import { createQuoteVerifier, type SgxMeasurement, staticCollateral } from '../../src/attestation/index.js'
import { accountSigner } from '../../src/crypto/index.js'
import { type BlockTriggers, Registry, type ShareKey } from '../../src/domain/index.js'
import type { Attestation, ChainView } from '../../src/share/index.js'
import type { SyncChain } from '../../src/sync/index.js'
import { GENESIS } from '../../test/unit/share/fixture.js'

/** The origin has sealed the shares, the provider holds them, the requester fetches them; all of one slot. */
export const ORIGIN = { signer: accountSigner(new Uint8Array(32).fill(1)), seat: { cluster: 0, slot: 0 } }
export const PROVIDER = { signer: accountSigner(new Uint8Array(32).fill(2)), seat: { cluster: 1, slot: 0 } }
export const REQUESTER = { signer: accountSigner(new Uint8Array(32).fill(3)), seat: { cluster: 2, slot: 0 } }

export const SEALING_KEY = new Uint8Array(32).fill(9)

/** All is synced by this block, and none comes after it. */
export const BLOCK = 1_000

/** Of a plain stream. */
export const RAW_PROTOCOL = '/slotmesh/bench/raw'

/** As many as the chain lists in a page. */
const PAGE = 1_000

export const keyOf = (at: number): ShareKey => ({ kind: 'secret', nftId: at })

const MEASUREMENT: SgxMeasurement = {
  tee: 'sgx',
  mrEnclave: `0x${'e1'.repeat(32)}`,
  mrSigner: `0x${'51'.repeat(32)}`,
  productId: 7,
  securityVersion: 3,
}

/** A chain at rest that lists so many shares. The origin had its seat when it sealed them, and has left it since. */
export function chainOf(shares: number): ChainView & SyncChain {
  const registry = registryOf(PROVIDER, REQUESTER)
  const then = registryOf(ORIGIN, PROVIDER)
  const block = { number: BLOCK, hash: GENESIS }
  return {
    genesisHash: GENESIS,
    finalised: () => block,
    finalisedAgeMs: () => 0,
    blockHash: async () => GENESIS,
    registry: () => registry,
    registryAt: async () => then,
    nft: async () => undefined,
    confirm: async () => ({ outcome: 'confirmed' }),
    async *follow(_after, { signal }): AsyncGenerator<BlockTriggers> {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
    async *syncedShares() {
      for (let from = 0; from < shares; from += PAGE) {
        yield Array.from({ length: Math.min(PAGE, shares - from) }, (_, index) => keyOf(from + index))
      }
    },
  }
}

function registryOf(...seated: readonly (typeof ORIGIN)[]): Registry {
  return new Registry(
    seated.map(({ signer: { account }, seat }) => ({
      id: seat.cluster,
      type: 'public',
      seats: [{ account, operator: account, ...seat, apiUri: '' }],
    })),
  )
}

/** Quotes of a development PKI, judged as genuine ones are. */
export async function attestationOf(machineId: string): Promise<Attestation> {
  const pki = await createDevelopmentPki({ seed: new Uint8Array(32).fill(7) })
  const verifier = createQuoteVerifier({
    rootCertificate: pki.rootCertificate,
    collateral: staticCollateral(pki.collateral, pki.tdxCollateral),
    policy: { allowedMeasurements: [{ mrEnclave: MEASUREMENT.mrEnclave }] },
  })
  const { quoteSource } = pki.platform({ machineId, measurement: MEASUREMENT })
  return { quote: quoteSource.quote, verify: verifier.verify }
}

export function loopbackHost(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ enableKeepAlive: false })],
  })
}
