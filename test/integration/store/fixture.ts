import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import type { Logger, ShareKey } from '../../../src/domain/index.js'
import {
  type LogHead,
  leafHash,
  type ShareRun,
  signHead,
  type VerifiedRun,
  verifyHead,
  verifyRange,
} from '../../../src/provenance/index.js'
import { type Identity, openStore, type Store, type Want } from '../../../src/store/index.js'

export const genesisHash = toHex(new Uint8Array(32).fill(7))
export const SLOT = 2
export const signal = new AbortController().signal

const silent = () => undefined
export const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent }

export const sealingKey = new Uint8Array(32).fill(0x5e)

/** A temporary folder per test, removed after it; stores opened in it are closed. */
export class Folders {
  readonly #folders: string[] = []
  readonly #stores: Store[] = []

  async make(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'slotmesh-store-'))
    this.#folders.push(folder)
    return folder
  }

  async open(location: string, key = sealingKey): Promise<Store> {
    const store = await openStore({ location, sealingKey: key, logger })
    this.#stores.push(store)
    return store
  }

  async reopen(store: Store, location: string): Promise<Store> {
    await store.close()
    return this.open(location)
  }

  async clear(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close()
    for (const folder of this.#folders.splice(0)) {
      await rm(folder, { recursive: true })
      for (const end of ['lock', 'damaged']) await rm(`${folder}.${end}`, { recursive: true, force: true })
    }
  }
}

/** One enclave that can seal shares of its own: `seed` makes its account. */
export function enclave(seed: number, cluster: number, slot = SLOT) {
  const signer = accountSigner(new Uint8Array(32).fill(seed))
  const identity: Identity = {
    genesisHash,
    account: signer.account,
    seat: { cluster, slot },
    incarnation: toHex(new Uint8Array(16).fill(seed)),
  }
  return {
    identity,
    log: { account: identity.account, incarnation: identity.incarnation },
    signHead: (head: Omit<LogHead, 'signature' | 'account'>) => signHead(signer, genesisHash, head),
  }
}

export type Enclave = ReturnType<typeof enclave>

export const secret = (nftId: number): ShareKey => ({ kind: 'secret', nftId })
export const capsule = (nftId: number): ShareKey => ({ kind: 'capsule', nftId })

export function wantOf(key: ShareKey, want: Partial<Want> = {}): Want {
  return { key, minimumVersion: 0, asOf: 0, origin: undefined, since: 1_700_000_000_000, ...want }
}

/** A recognisable payload of 40 bytes. */
export function payloadOf(key: ShareKey, edition = 0): Uint8Array {
  return new Uint8Array(Buffer.from(`a share of ${key.kind} ${key.nftId}, edition ${edition}`.padEnd(40, '.')))
}

/** As {@link payloadOf}, of more bytes than are sealed by the page. */
export function largePayloadOf(key: ShareKey, edition = 0): Uint8Array {
  return new Uint8Array(Buffer.concat([payloadOf(key, edition), Buffer.alloc(5_000, '-')]))
}

/** Has the owner hand over the shares, and the chain call them synced by `block`. */
export async function seal(
  store: Store,
  origin: Enclave,
  block: number,
  keys: readonly ShareKey[],
  edition = 0,
  textOf = payloadOf,
): Promise<void> {
  for (const key of keys) await store.putPending({ key, payload: textOf(key, edition), confirmed: true })
  const { missingOwn } = await store.applyBlock(
    block,
    keys.map((key) => ({
      type: 'synced',
      want: wantOf(key, { minimumVersion: block, asOf: block, origin: origin.identity.seat.cluster }),
    })),
    origin.signHead,
  )
  assert.deepEqual(missingOwn, [])
}

/** Checks a run as a requester does, from its bytes alone. */
export function verify(run: ShareRun): VerifiedRun {
  verifyHead(genesisHash, run.head)
  for (const { leaf, payload } of run.shares) {
    assert.deepEqual(leaf.payloadHash, new Uint8Array(createHash('sha256').update(payload).digest()))
  }
  const hashes = run.shares.map(({ leaf }) => leafHash(leaf))
  return { ...run, nodes: verifyRange(run.head, run.first, hashes, run.proof) }
}

/** All that a provider streams for these keys, each run verified. */
export async function fetchRuns(
  provider: Store,
  keys: readonly ShareKey[],
  maximumBytes = 256 * 1024,
): Promise<{ runs: VerifiedRun[]; notHeld: ShareKey[] }> {
  const stream = provider.runs(
    keys.map((key) => ({ key, minimumVersion: 0 })),
    { maximumBytes, signal },
  )
  const runs: VerifiedRun[] = []
  for (;;) {
    const next = await stream.next()
    if (next.done) return { runs, notHeld: next.value.notHeld }
    runs.push(verify(next.value))
  }
}

/** Fetches and stores as a replica does. */
export async function replicate(
  from: Store,
  to: Store,
  keys: readonly ShareKey[],
  provider = { newestAsOf: 1_000_000 },
): Promise<{ stored: ShareKey[]; closed: Want[] }> {
  const stored: ShareKey[] = []
  const closed: Want[] = []
  for (const run of (await fetchRuns(from, keys)).runs) {
    const put = await to.putRun(run, provider)
    stored.push(...put.stored)
    closed.push(...put.closed)
  }
  return { stored, closed }
}

export async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const collected: Value[] = []
  for await (const value of values) collected.push(value)
  return collected
}

export type RawDatabase = Level<Uint8Array, Uint8Array>

/** The folder as its host sees it: raw keys and sealed values. The store must be closed. */
export async function tamper(folder: string, work: (raw: RawDatabase) => Promise<void>): Promise<void> {
  const raw: RawDatabase = new Level(folder, { keyEncoding: 'view', valueEncoding: 'view', compression: false })
  await raw.open()
  try {
    await work(raw)
  } finally {
    await raw.close()
  }
}

/** The next write of this kind fails as on a full disk, and those after it do not. */
export function failOnce(method: 'batch' | 'clear'): void {
  Object.defineProperty(Level.prototype, method, {
    configurable: true,
    value: async () => {
      Reflect.deleteProperty(Level.prototype, method)
      throw Object.assign(new Error('IO error: No space left on device'), { code: 'LEVEL_IO_ERROR' })
    },
  })
}

/**
 * Holds every write that a database begins, in this process, until it is let go.
 *
 * @returns lets them go; safe to call twice.
 */
export function holdWrites(): () => void {
  const batch: unknown = Reflect.get(Level.prototype, 'batch')
  let letGo: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    letGo = resolve
  })
  Object.defineProperty(Level.prototype, 'batch', {
    configurable: true,
    value(this: Level, ...given: unknown[]) {
      const begin = () => Reflect.apply(batch as (...given: unknown[]) => unknown, this, given)
      return given.length === 0 ? begin() : released.then(begin)
    },
  })
  let isHeld = true
  return () => {
    if (isHeld) Object.defineProperty(Level.prototype, 'batch', { configurable: true, value: batch })
    isHeld = false
    letGo()
  }
}
