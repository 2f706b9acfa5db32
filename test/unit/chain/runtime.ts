import { Metadata, type PortableRegistry, type TypeRegistry, TypeRegistry as Types } from '@polkadot/types'
import { Runtime } from '../../../src/chain/runtime/runtime.js'
import { toHex } from '../../../src/crypto/index.js'
import { developmentMetadata } from '../../../src/devchain/metadata/index.js'

const versions = { specName: 'test', specVersion: 1, transactionVersion: 1 }

export function runtimeOf(generation: 1 | 2): Runtime {
  return new Runtime(toHex(developmentMetadata(generation)), versions)
}

/** `@polkadot/types` on its own, to make values with. */
export function registryOf(metadataBytes: Uint8Array | `0x${string}`): {
  registry: TypeRegistry
  metadata: Metadata
  types: PortableRegistry
} {
  const registry = new Types()
  const metadata = new Metadata(registry, metadataBytes)
  registry.setMetadata(metadata, undefined, undefined, true)
  return { registry, metadata, types: metadata.asLatest.lookup }
}
