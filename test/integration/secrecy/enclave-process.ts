import { readFileSync } from 'node:fs'
import { writeHeapSnapshot } from 'node:v8'
import { createDevelopmentPki } from '../../../src/attestation/development/index.js'
import { staticCollateral } from '../../../src/attestation/index.js'
import type { LogFields, Logger, ShareKind } from '../../../src/domain/index.js'
import { createEnclaveNode } from '../../../src/node/index.js'
import type { RetrieveRequest, StoreRequest } from '../../../src/owner/index.js'
import { sealingKey } from '../../../src/sealing-key/index.js'

/** What the enclave's process is started with; secrets come in files, so that no message and no argument holds them. */
export interface EnclaveInput {
  readonly folder: string
  readonly chainUrl: string
  readonly bootstrap: readonly string[]
  readonly pkiSeed: string
  readonly sealingKeyFile: string
  readonly accountSeedFile: string
  /** Kept in memory on purpose, to see that it is found. */
  readonly controlFile: string
  readonly build: { tee: 'sgx'; mrEnclave: `0x${string}`; mrSigner: `0x${string}`; productId: 1; securityVersion: 1 }
}

export type EnclaveOrder =
  | { readonly type: 'status' }
  | { readonly type: 'store'; readonly kind: ShareKind; readonly request: StoreRequest }
  | { readonly type: 'retrieve'; readonly kind: ShareKind; readonly request: RetrieveRequest }
  | { readonly type: 'heap-snapshot'; readonly file: string }
  | { readonly type: 'log'; readonly file: string }
  | { readonly type: 'crash' }

const input: EnclaveInput = JSON.parse(process.argv[2] ?? '')
const kept = { bytes: readFileSync(input.controlFile), text: '' }
kept.text = `${kept.bytes.toString('hex')}!`

/** Everything that the node has to say, at every level. */
const say =
  (level: keyof Logger) =>
  (message: string, fields: LogFields = {}) =>
    process.stdout.write(`${JSON.stringify({ level, message, ...fields })}\n`)
const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }

async function createNode() {
  const pki = await createDevelopmentPki({ seed: Buffer.from(input.pkiSeed, 'hex') })
  const key = await sealingKey({ from: 'file', path: input.sealingKeyFile }, { folder: input.folder })
  const accountSeed = new Uint8Array(32)
  const content = readFileSync(input.accountSeedFile)
  accountSeed.set(content)
  content.fill(0)
  try {
    return await createEnclaveNode({
      folder: input.folder,
      chain: { endpoints: [input.chainUrl] },
      mesh: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: input.bootstrap, allowPrivateAddresses: true },
      attestation: {
        quoteSource: pki.platform({ machineId: input.folder, measurement: input.build }).quoteSource,
        rootCertificate: pki.rootCertificate,
        collateral: staticCollateral(pki.collateral),
        policy: { allowedMeasurements: [{ mrEnclave: input.build.mrEnclave }] },
      },
      sealingKey: key,
      accountSeed,
      logger,
    })
  } finally {
    key.fill(0)
    accountSeed.fill(0)
  }
}

const node = await createNode()
await node.start()

async function obey(order: EnclaveOrder): Promise<unknown> {
  const signal = AbortSignal.timeout(30_000)
  switch (order.type) {
    case 'status':
      return node.status()
    case 'store':
      await node.storeShare(order.kind, order.request, { signal })
      return undefined
    case 'retrieve': {
      const payload = await node.retrieveShare(order.kind, order.request, { signal })
      const { length } = payload
      payload.fill(0)
      return length
    }
    case 'heap-snapshot':
      // Several times: what is finalised in one round is free in the next.
      for (let round = 0; round < 4; round += 1) globalThis.gc?.()
      writeHeapSnapshot(order.file)
      return kept.text.length
    case 'log':
      process.stdout.write(`${JSON.stringify({ planted: readFileSync(order.file).toString('base64') })}\n`)
      return undefined
    case 'crash':
      setImmediate(() => {
        throw new Error('told to crash')
      })
      return undefined
  }
}

process.on('message', ({ id, order }: { id: number; order: EnclaveOrder }) => {
  obey(order).then(
    (result) => process.send?.({ id, result: result === undefined ? null : JSON.parse(JSON.stringify(result)) }),
    (thrown: Error) => process.send?.({ id, error: String(thrown) }),
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, result: { account: node.account, peerId: node.peerId } })
