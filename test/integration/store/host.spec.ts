import assert from 'node:assert/strict'
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ShareKey } from '../../../src/domain/index.js'
import type { Store } from '../../../src/store/index.js'
import { Sealer } from '../../../src/store/sealing.js'
import {
  capsule,
  collect,
  enclave,
  Folders,
  fetchRuns,
  payloadOf,
  type RawDatabase,
  seal,
  sealingKey,
  secret,
  tamper,
  wantOf,
} from './fixture.js'

/** What the host of an enclave can do to its folder, and what it gets. */
describe('store and its host', () => {
  const folders = new Folders()
  afterEach(() => folders.clear())

  const origin = enclave(1, 1)

  /** A closed folder with secrets, shares, wants and a pending share in it. */
  async function filled(): Promise<string> {
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.putSecret('account-seed', new Uint8Array(Buffer.from('the seed of an enclave account..')))
    await store.putSecret('peer-key-seed', new Uint8Array(Buffer.from('the seed of the key of a peer...')))
    await store.beginSetup(origin.identity, 10, [wantOf(secret(70)), wantOf(capsule(71))])
    await seal(store, origin, 11, [secret(1), secret(2), capsule(1)])
    await seal(store, origin, 12, [capsule(1)], 1)
    await store.putPending({ key: secret(80), payload: payloadOf(secret(80)), confirmed: true })
    await store.markSetupDone()
    await store.close()
    return folder
  }

  /** A copy of the folder with its database altered. */
  async function altered(folder: string, work: (raw: RawDatabase) => Promise<void>): Promise<string> {
    const copy = await folders.make()
    await cp(folder, copy, { recursive: true })
    await tamper(copy, work)
    return copy
  }

  async function records(folder: string): Promise<[Uint8Array, Uint8Array][]> {
    const entries: [Uint8Array, Uint8Array][] = []
    await tamper(folder, async (raw) => {
      entries.push(...(await raw.iterator().all()))
    })
    return entries
  }

  /** Reads everything that a store can be asked for, and appends to its log; what it answers must be the truth. */
  async function useAll(store: Store): Promise<void> {
    assert.equal(Buffer.from((await store.secret('account-seed')) ?? []).toString(), 'the seed of an enclave account..')
    assert.equal(
      Buffer.from((await store.secret('peer-key-seed')) ?? []).toString(),
      'the seed of the key of a peer...',
    )
    assert.deepEqual(await store.identity(), origin.identity)
    assert.equal(await store.cursor(), 12)
    assert.equal(await store.isSetupDone(), true)
    assert.deepEqual(await collect(store.wants()), [wantOf(secret(70)), wantOf(capsule(71))])
    assert.deepEqual(await collect(store.pendingShares()), [{ key: secret(80), confirmed: true }])
    const held: [ShareKey, number][] = [
      [secret(1), 0],
      [secret(2), 0],
      [capsule(1), 1],
    ]
    assert.deepEqual(
      (await collect(store.places())).map(({ kind, nftId }) => ({ kind, nftId })),
      held.map(([key]) => key),
    )
    for (const [key, edition] of held) {
      assert.deepEqual((await store.share(key))?.payload, payloadOf(key, edition))
      const { runs } = await fetchRuns(store, [key])
      assert.deepEqual(runs[0]?.shares[0]?.payload, payloadOf(key, edition))
    }
    assert.equal((await store.head(origin.log, 3))?.size, 3)
    await seal(store, origin, 13, [secret(90)])
  }

  async function openAndUseAll(folder: string): Promise<void> {
    const store = await folders.open(folder)
    try {
      await useAll(store)
    } finally {
      await store.close()
    }
  }

  function isTampered(error: Error & { code?: string }): true {
    assert.equal(error.code, 'store/tampered', error.stack)
    assert.match(error.message, /^The record [a-z-]+(\/[\w-]+)* of the store in \S+ is not what this node sealed there/)
    return true
  }

  it('finds neither shares nor seeds in any file', async () => {
    const folder = await filled()
    await openAndUseAll(folder)
    let scanned = 0
    for (const file of await readdir(folder)) {
      const content = await readFile(join(folder, file))
      scanned += content.length
      for (const text of ['a share of', 'edition', 'the seed of']) {
        assert.equal(content.includes(text), false, `'${text}' in ${file}`)
      }
      assert.equal(content.includes(Buffer.from(sealingKey)), false)
    }
    assert.ok(scanned > 2000)
  })

  it('cannot alter a record unnoticed', async () => {
    const folder = await filled()
    const all = await records(folder)
    assert.ok(all.length > 20)
    const unnoticed: number[] = []
    for (const [at, [name, sealed]] of all.entries()) {
      const flipped = sealed.slice()
      flipped[30] = (flipped[30] ?? 0) ^ 1
      const value = [flipped, sealed.slice(0, -1), new Uint8Array(0)][at % 3] ?? flipped
      const copy = await altered(folder, (raw) => raw.put(name, value))
      await openAndUseAll(copy).then(() => unnoticed.push(name[0] ?? 0), isTampered)
    }
    // The last leaf's own hash is used in no proof of another, and recomputed from its share.
    assert.deepEqual(unnoticed, [0x30])
  })

  it('cannot put a record in the place of another', async () => {
    const folder = await filled()
    const all = await records(folder)
    for (const [prefix, count] of [
      [0x20, 2],
      [0x22, 3],
      [0x23, 3],
      [0x31, 2],
    ]) {
      const table = all.filter(([name]) => name[0] === prefix)
      assert.equal(table.length, count)
      const [[one, ones] = [], [other, others] = []] = table
      assert.ok(one && ones && other && others)
      const copy = await altered(folder, async (raw) => {
        await raw.put(one, others)
        await raw.put(other, ones)
      })
      await assert.rejects(openAndUseAll(copy), isTampered)
    }
  })

  it('cannot bring a record over from another folder of the same enclave', async () => {
    const folder = await filled()
    const others = await records(await filled())
    for (const [name, foreign] of others.filter(([name]) => name[0] === 0x23 || name[0] === 0x11)) {
      const copy = await altered(folder, (raw) => raw.put(name, foreign))
      await assert.rejects(openAndUseAll(copy), isTampered)
    }
  })

  it('cannot plant a record', async () => {
    const folder = await filled()
    for (const name of [
      Uint8Array.of(0x22, 1, 0, 0, 0, 50),
      Uint8Array.of(0x22, 7, 0, 0, 0, 50),
      Uint8Array.of(0x20, 2, 0, 0, 0, 50),
    ]) {
      const copy = await altered(folder, (raw) => raw.put(name, new Uint8Array(120)))
      await assert.rejects(openAndUseAll(copy), isTampered)
    }
  })

  it('cannot take a payload or the log away to have the log begun again', async () => {
    const folder = await filled()
    const all = await records(folder)
    for (const prefixes of [[0x23], [0x30], [0x31], [0x32], [0x30, 0x31, 0x32]]) {
      const copy = await altered(folder, async (raw) => {
        for (const [name] of all) if (prefixes.includes(name[0] ?? 0)) await raw.del(name)
      })
      const store = await folders.open(copy)
      if (prefixes.includes(0x23)) await assert.rejects(store.share(secret(1)), isTampered)
      else await assert.rejects(seal(store, origin, 13, [secret(90)]), isTampered)
    }
  })

  it('is told by the node that a folder is under another key', async () => {
    const folder = await filled()
    await assert.rejects(folders.open(folder, new Uint8Array(32).fill(1)), (error: Error & { code: string }) => {
      assert.equal(error.code, 'store/wrong-key')
      assert.match(error.message, /another machine, enclave measurement or passphrase/)
      return true
    })
    await openAndUseAll(folder)
    await assert.rejects(folders.open(folder, new Uint8Array(31)), RangeError)
  })

  it('is told which folder is damaged', async () => {
    const damages: ((folder: string) => Promise<unknown>)[] = [
      (folder) => truncate(join(folder, 'CURRENT')),
      (folder) => writeFile(join(folder, 'CURRENT'), 'MANIFEST-999999\n'),
      (folder) => tamper(folder, (raw) => raw.clear({ lt: Uint8Array.of(1) })),
      async (folder) => {
        await rm(folder, { recursive: true })
        await writeFile(folder, 'not a folder')
      },
    ]
    for (const damage of damages) {
      const folder = await filled()
      await damage(folder)
      await assert.rejects(folders.open(folder), (error: Error & { code: string }) => {
        assert.equal(error.code, 'store/unreadable')
        assert.ok(error.message.includes(folder), error.message)
        return true
      })
    }
  })

  it('has an erasure that was cut short ended at the next start', async () => {
    const folder = await filled()
    const [header, mark] = [Uint8Array.of(0, 0), Uint8Array.of(2)]
    await tamper(folder, async (raw) => {
      const id = new Sealer(sealingKey, new Uint8Array(16)).open(header, await raw.get(header))
      assert.ok(id)
      await raw.put(mark, new Sealer(sealingKey, id).seal(mark, new Uint8Array(0)))
      await raw.del(Uint8Array.of(0x10))
    })
    const store = await folders.open(folder)
    assert.ok(await store.secret('account-seed'))
    assert.deepEqual(store.counts(), { shares: { secret: 0, capsule: 0 }, wants: 0, pending: 0 })
    await store.close()
    assert.deepEqual(
      (await records(folder)).map(([name]) => name[0]),
      [0, 0, 1, 1],
    )
  })
})
