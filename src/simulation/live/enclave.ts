import type { DevelopmentPki } from '../../attestation/development/index.js'
import type { SgxMeasurement } from '../../attestation/index.js'
import { createEnclaveNode, type EnclaveNode, type EnclaveNodeConfig } from '../../node/index.js'
import type { HeldShare } from '../audit.js'
import { openLogFile } from './log-file.js'
import { type LinkTable, Shaping } from './shaping/index.js'

/** What an enclave is made from: plain data, so that it can cross to another process. */
export interface EnclaveSpec {
  /** How the report calls it. */
  readonly name: string
  readonly folder: string
  /** WebSocket URL of the chain. */
  readonly chainEndpoint: string
  /** Multiaddrs to enter the mesh by. */
  readonly bootstrap: readonly string[]
  /** Where collateral is fetched. */
  readonly pccsUrl: string
  /** Makes the same development PKI in every process. */
  readonly pkiSeed: Uint8Array
  /** The build of the software in the enclave. */
  readonly measurement: SgxMeasurement
  /** Of the network's chances. */
  readonly chance: number
}

/** The build that every enclave of the simulation trusts. */
export const OFFICIAL_BUILD: SgxMeasurement = {
  tee: 'sgx',
  mrEnclave: `0x${'5a'.repeat(32)}`,
  mrSigner: `0x${'51'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
}

/** Somebody else's build, on a genuine platform. */
export const IMPOSTOR_BUILD: SgxMeasurement = { ...OFFICIAL_BUILD, mrEnclave: `0x${'e1'.repeat(32)}` }

/** An enclave that the simulation runs, wherever it runs. */
export interface EnclaveHandle
  extends Pick<
    EnclaveNode,
    'account' | 'peerId' | 'start' | 'stop' | 'status' | 'subscribe' | 'storeShare' | 'retrieveShare'
  > {
  heldShares(): Promise<HeldShare[]>
  /** Changes what the network is like between it and others. */
  shape(links: LinkTable): Promise<void>
  /** Drops every connection to other enclaves. */
  disconnect(): Promise<void>
}

/** An enclave in this process. */
export async function createEnclave(spec: EnclaveSpec, pki: DevelopmentPki): Promise<EnclaveHandle> {
  const log = openLogFile(`${spec.folder}.log`)
  const shaping = new Shaping(chances(spec.chance))
  const { transport } = shaping
  const node = await createEnclaveNode({ ...nodeConfig(spec, pki), logger: log.logger }, { transport })
  return {
    account: node.account,
    peerId: node.peerId,
    start: () => node.start(),
    stop: async () => {
      await node.stop()
      shaping.end()
      await log.close()
    },
    status: () => node.status(),
    subscribe: (listener) => node.subscribe(listener),
    storeShare: (kind, request, options) => node.storeShare(kind, request, options),
    retrieveShare: (kind, request, options) => node.retrieveShare(kind, request, options),
    heldShares: async () => {
      const shares: HeldShare[] = []
      for await (const share of node.heldShares()) shares.push(share)
      return shares
    },
    shape: async (links) => shaping.change(links),
    disconnect: async () => shaping.dropConnections(),
  }
}

/** Numbers from 0 up to 1, the same for the same seed: xorshift, of 32 bits. */
function chances(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

function nodeConfig(spec: EnclaveSpec, pki: DevelopmentPki): EnclaveNodeConfig {
  const platform = pki.platform({ machineId: spec.name, measurement: spec.measurement })
  return {
    folder: spec.folder,
    chain: { endpoints: [spec.chainEndpoint] },
    mesh: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: spec.bootstrap, allowPrivateAddresses: true },
    attestation: {
      quoteSource: platform.quoteSource,
      rootCertificate: pki.rootCertificate,
      collateral: { url: spec.pccsUrl },
      policy: { allowedMeasurements: [{ mrEnclave: OFFICIAL_BUILD.mrEnclave }] },
    },
    sealingKey: platform.sealingKey(),
  }
}
