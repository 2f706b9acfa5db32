import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createDevelopmentPki } from '../../../src/attestation/development/index.js'
import { staticCollateral } from '../../../src/attestation/index.js'
import { accountSigner } from '../../../src/crypto/index.js'
import { createEnclaveNode } from '../../../src/node/index.js'
import { takeSecrets } from '../../../src/node/secrets.js'
import type { SecretName, StoreIntegrity } from '../../../src/store/index.js'

const ZEROS = new Uint8Array(32)
const SEED = new Uint8Array(32).fill(9)

/** Keeps every buffer that it was given or has given away. */
class FakeStore {
  readonly buffers = new Map<SecretName, Uint8Array>()
  readonly kept = new Map<SecretName, Uint8Array>()
  readonly fails: SecretName | undefined
  readonly state: StoreIntegrity['state']

  constructor(kept: [SecretName, Uint8Array][], fails?: SecretName, state: StoreIntegrity['state'] = 'whole') {
    this.kept = new Map(kept)
    this.fails = fails
    this.state = state
  }

  async secret(name: SecretName): Promise<Uint8Array | undefined> {
    const copy = this.kept.get(name)?.slice()
    if (copy !== undefined) this.buffers.set(name, copy)
    return copy
  }

  async putSecret(name: SecretName, value: Uint8Array): Promise<void> {
    this.buffers.set(name, value)
    if (name === this.fails) throw new Error('the disk is full')
    this.kept.set(name, value.slice())
  }

  integrity(): StoreIntegrity {
    return { state: this.state, sequence: 1, dropped: 0, doubtful: 0 }
  }
}

describe('a node’s secrets', () => {
  it('are made once, and then those of the folder; no seed of the account is left', async () => {
    const store = new FakeStore([])
    const first = await takeSecrets(store)
    assert.deepEqual(store.buffers.get('account-seed'), ZEROS)
    assert.notDeepEqual(store.kept.get('account-seed'), ZEROS)
    assert.notDeepEqual(first.peerSeed, ZEROS)
    const second = await takeSecrets(store)
    assert.equal(second.signer.account, first.signer.account)
    assert.equal(second.peerId, first.peerId)
    assert.deepEqual(store.buffers.get('account-seed'), ZEROS)
  })

  it('begin with the account that is given, whose seed stays the caller’s', async () => {
    const given = SEED.slice()
    const store = new FakeStore([])
    const { signer } = await takeSecrets(store, given)
    assert.equal(signer.account, accountSigner(SEED).account)
    assert.deepEqual(given, SEED)
    assert.deepEqual(store.buffers.get('account-seed'), ZEROS)
  })

  it('are left nowhere when one cannot be kept, is none, or is lost', async () => {
    const cases: [FakeStore, RegExp][] = [
      [new FakeStore([], 'account-seed'), /disk is full/],
      [new FakeStore([['account-seed', SEED]], 'peer-key-seed'), /disk is full/],
      [new FakeStore([['account-seed', SEED]], undefined, 'altered'), /has lost the peer-key-seed/],
      [
        new FakeStore([
          ['account-seed', SEED],
          ['peer-key-seed', SEED.subarray(1)],
        ]),
        /./,
      ],
      [
        new FakeStore([
          ['account-seed', SEED.subarray(1)],
          ['peer-key-seed', SEED],
        ]),
        /./,
      ],
    ]
    for (const [store, reason] of cases) {
      await assert.rejects(takeSecrets(store), reason)
      assert.ok(store.buffers.size > 0)
      for (const [name, bytes] of store.buffers) assert.ok(!bytes.some((byte) => byte !== 0), name)
    }
  })

  it('and the sealing key are not kept by the node with the rest of its configuration', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const folder = await mkdtemp(join(tmpdir(), 'slotmesh-secrets-'))
    try {
      const pki = await createDevelopmentPki({ seed: SEED })
      const measurement = {
        tee: 'sgx',
        mrEnclave: `0x${'de'.repeat(32)}`,
        mrSigner: `0x${'5e'.repeat(32)}`,
        productId: 1,
        securityVersion: 1,
      } as const
      const { quoteSource } = pki.platform({ machineId: folder, measurement })
      const create = async () => {
        const [sealingKey, accountSeed] = [SEED.slice(), SEED.slice()]
        const node = await createEnclaveNode({
          folder: join(folder, 'store'),
          chain: { endpoints: ['ws://127.0.0.1:1'] },
          mesh: { listen: [], bootstrap: [] },
          attestation: {
            quoteSource,
            rootCertificate: pki.rootCertificate,
            collateral: staticCollateral(pki.collateral),
            policy: { allowedMeasurements: [{ mrEnclave: measurement.mrEnclave }] },
          },
          sealingKey,
          accountSeed,
        })
        return { node, refs: [new WeakRef(sealingKey), new WeakRef(accountSeed)] }
      }
      const { node, refs } = await create()
      // What a reference was made of stays until the end of that turn.
      await new Promise((resolve) => setImmediate(resolve))
      collect()
      assert.deepEqual(
        refs.map((ref) => ref.deref()),
        [undefined, undefined],
      )
      await node.stop()
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
