import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevelopmentPki } from '../../../src/attestation/development/index.js'
import { staticCollateral } from '../../../src/attestation/index.js'
import type { Target } from '../../../src/conformance/index.js'
import { fromHex } from '../../../src/crypto/index.js'
import { createEnclaveNode, type EnclaveNode, type EnclaveNodeConfig } from '../../../src/node/index.js'

/** The project's own node, made from a target file's content as any implementation would be. */
export async function startNode(
  target: Target,
  config: Partial<EnclaveNodeConfig> = {},
): Promise<{ readonly node: EnclaveNode; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'slotmesh-conformance-'))
  const pki = await createDevelopmentPki({ seed: fromHex(target.developmentSeed) })
  const mrEnclave = target.allowedMeasurements[0] ?? '0x'
  const build = { tee: 'sgx', mrEnclave, mrSigner: target.mrSigner, productId: 1, securityVersion: 1 } as const
  const platform = pki.platform({ machineId: 'under test', measurement: build })
  const node = await createEnclaveNode({
    folder: join(folder, 'store'),
    chain: { endpoints: [target.rpcUrl] },
    mesh: {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: target.bootstrap,
      allowPrivateAddresses: true,
      shutOutOffenders: false,
    },
    attestation: {
      quoteSource: platform.quoteSource,
      rootCertificate: fromHex(target.rootCertificate),
      collateral: staticCollateral(target.collateral),
      policy: { allowedMeasurements: [{ mrEnclave }] },
    },
    sealingKey: platform.sealingKey(),
    accountSeed: fromHex(target.accountSeed),
    ...config,
  })
  await node.start()
  return {
    node,
    stop: async () => {
      await node.stop()
      await rm(folder, { recursive: true })
    },
  }
}
