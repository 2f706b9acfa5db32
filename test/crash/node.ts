import { createDevelopmentPki } from '../../src/attestation/development/index.js'
import { staticCollateral } from '../../src/attestation/index.js'
import { createEnclaveNode, type EnclaveNode, type EnclaveNodeConfig } from '../../src/node/index.js'
import type { NodeParts } from '../../src/node/node.js'

/** What a node is made from: plain data, so that it can cross to another process. */
export interface NodeInput {
  readonly folder: string
  readonly chainUrl: string
  readonly bootstrap: readonly string[]
  readonly accountSeed: Uint8Array
  /** A multiaddr; loopback when absent. */
  readonly listen?: string
  /** How long a silent chain is borne with, ms; as long as usual when absent. */
  readonly chainPatienceMs?: number
}

export const sealingKey = new Uint8Array(32).fill(0x5e)

const BUILD = {
  tee: 'sgx',
  mrEnclave: `0x${'11'.repeat(32)}`,
  mrSigner: `0x${'22'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
} as const

/** A node as any other, with the account that it is given. */
export async function createNode(input: NodeInput, parts: NodeParts = {}): Promise<EnclaveNode> {
  const { folder, chainUrl, bootstrap, accountSeed, listen = '/ip4/127.0.0.1/tcp/0', chainPatienceMs } = input
  const pki = await createDevelopmentPki({ seed: new Uint8Array(32).fill(9) })
  const config: EnclaveNodeConfig = {
    folder,
    chain: {
      endpoints: [chainUrl],
      ...(chainPatienceMs !== undefined && { quietAfterMs: chainPatienceMs, connectTimeoutMs: chainPatienceMs }),
    },
    mesh: { listen: [listen], bootstrap, allowPrivateAddresses: true },
    attestation: {
      quoteSource: pki.platform({ machineId: folder, measurement: BUILD }).quoteSource,
      rootCertificate: pki.rootCertificate,
      collateral: staticCollateral(pki.collateral),
      policy: { allowedMeasurements: [{ mrEnclave: BUILD.mrEnclave }] },
    },
    sealingKey,
    accountSeed,
  }
  return createEnclaveNode(config, parts)
}
