import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { equalBytes } from '../../src/crypto/index.js'
import { type BlockNumber, type ShareKey, shareKeyText, silentLogger } from '../../src/domain/index.js'
import { openStore, type Store } from '../../src/store/index.js'
import { sealingKey } from './node.js'

/** What must be in a folder, however its node ended. */
export interface Expected {
  /** Every share that there has ever been, with what its owner gave. */
  readonly payloadOf: (key: ShareKey) => Uint8Array | undefined
  /** Those that this folder's node has taken from their owners and answered for, or confirmed on chain. */
  readonly kept: readonly ShareKey[]
  /** What the chain lists as of the end of a final block. */
  readonly listedAt: (block: BlockNumber) => Promise<readonly ShareKey[]>
  /** Whether the seat may not be taken yet: of a folder that was just made. */
  readonly mayBeEmpty: boolean
}

/** What a folder was found to hold. */
export interface Remains {
  readonly held: number
  readonly pending: number
  readonly wanted: number
}

/**
 * Looks at a folder as a crash has left it, before anything can be mended: at a copy, so that the node finds it untouched.
 * @throws AssertionError that says what is missing, corrupt or no longer wanted.
 */
export async function examine(folder: string, expected: Expected): Promise<Remains> {
  if (!existsSync(folder)) {
    assert.ok(expected.mayBeEmpty, 'the folder is gone')
    return { held: 0, pending: 0, wanted: 0 }
  }
  const copy = `${folder}.copy`
  await cp(folder, copy, { recursive: true })
  const store = await openStore({ location: copy, sealingKey, logger: silentLogger })
  try {
    assert.equal(store.integrity().state, 'whole', 'the folder is not whole')
    return await examineStore(store, expected)
  } finally {
    await store.close()
    for (const path of [copy, `${copy}.lock`]) await rm(path, { recursive: true, force: true })
  }
}

async function examineStore(store: Store, expected: Expected): Promise<Remains> {
  const [held, pending, wanted] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for await (const key of store.places()) {
    const share = await store.share(key)
    requireGenuine('held', key, share?.payload, expected)
    held.add(shareKeyText(key))
  }
  for await (const { key } of store.pendingShares()) {
    requireGenuine('pending', key, (await store.pending(key))?.payload, expected)
    pending.add(shareKeyText(key))
  }
  for await (const { key } of store.wants()) wanted.add(shareKeyText(key))
  for (const key of expected.kept) {
    const text = shareKeyText(key)
    assert.ok(
      held.has(text) || pending.has(text),
      `${text} was answered for and is lost${wanted.has(text) ? ', though wanted' : ''}`,
    )
  }
  const cursor = await store.cursor()
  if (cursor === undefined) assert.ok(expected.mayBeEmpty, 'the folder has lost its seat')
  else {
    for (const key of await expected.listedAt(cursor)) {
      const text = shareKeyText(key)
      assert.ok(held.has(text) || wanted.has(text), `${text} is listed at block ${cursor}, and neither held nor wanted`)
    }
  }
  return { held: held.size, pending: pending.size, wanted: wanted.size }
}

function requireGenuine(how: string, key: ShareKey, payload: Uint8Array | undefined, { payloadOf }: Expected): void {
  const given = payloadOf(key)
  assert.ok(given !== undefined, `${shareKeyText(key)} is ${how} and was never given`)
  assert.ok(payload !== undefined && equalBytes(payload, given), `${shareKeyText(key)} is ${how} and corrupt`)
}

/** How often LevelDB has compacted tables in the last life of a folder, by its own journal. */
export async function compactionsIn(folder: string): Promise<number> {
  const journal = join(folder, 'LOG')
  return existsSync(journal) ? ((await readFile(journal, 'utf8')).match(/ Compacted /g)?.length ?? 0) : 0
}
