import { readdir } from 'node:fs/promises'
import { Level } from 'level'
import { z } from 'zod'
import { fromHex, toHex } from '../../crypto/index.js'
import { type BlockHash, messageOf, SlotmeshError } from '../../domain/index.js'
import type { StoredBlock } from './block.js'

const hex = z.templateLiteral(['0x', z.string()])

const recordSchema = z.object({
  hash: hex,
  header: z.object({
    parentHash: hex,
    number: hex,
    stateRoot: hex,
    extrinsicsRoot: hex,
    digest: z.object({ logs: z.array(hex) }),
  }),
  extrinsics: z.array(hex),
  changes: z.array(z.tuple([hex, hex.nullable()])),
})

/** A `level` database in which each block is one record under its number; a record is written as a whole or not at all. */
export class BlockStore {
  readonly #level: Level<string, string>
  readonly #folder: string

  private constructor(level: Level<string, string>, folder: string) {
    this.#level = level
    this.#folder = folder
  }

  /** @throws SlotmeshError `devchain/folder-in-use` or `devchain/folder-unusable`. */
  static async open(folder: string): Promise<BlockStore> {
    await ensureOwn(folder)
    const level = new Level(folder)
    try {
      await level.open()
    } catch (thrown) {
      const cause = thrown instanceof Error ? thrown.cause : undefined
      const isLocked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
      if (!isLocked) throw unusable(folder, messageOf(cause ?? thrown), thrown)
      throw new SlotmeshError(
        'devchain/folder-in-use',
        `Another chain is running on the folder ${folder}; stop it or choose another folder.`,
        { cause: thrown },
      )
    }
    return new BlockStore(level, folder)
  }

  /**
   * All blocks in order, each the child of the one before.
   * @throws SlotmeshError `devchain/folder-damaged`
   */
  async *blocks(): AsyncGenerator<StoredBlock> {
    let number = 0
    let parent: BlockHash | undefined
    for await (const [key, text] of this.#level.iterator()) {
      const block = this.#decode(number, text)
      const follows = parent === undefined || block.header.parentHash === parent
      if (key !== keyOf(number) || !follows) throw this.#damaged(number)
      yield block
      parent = block.hash
      number++
    }
  }

  async append({ number, hash, header, extrinsics, changes }: StoredBlock): Promise<void> {
    const entries = [...changes].map(([key, value]) => [key, value === undefined ? null : toHex(value)])
    const record = JSON.stringify({ hash, header, extrinsics, changes: entries })
    await this.#level.batch([{ type: 'put', key: keyOf(number), value: record }], { sync: true })
  }

  async close(): Promise<void> {
    await this.#level.close()
  }

  #decode(number: number, text: string): StoredBlock {
    try {
      const { changes, ...block } = recordSchema.parse(JSON.parse(text))
      const entries = changes.map(([key, value]) => [key, value === null ? undefined : fromHex(value)] as const)
      return { number, ...block, changes: new Map(entries) }
    } catch (cause) {
      throw this.#damaged(number, cause)
    }
  }

  #damaged(number: number, cause?: unknown): SlotmeshError {
    return new SlotmeshError(
      'devchain/folder-damaged',
      `Block ${number} in the folder ${this.#folder} cannot be read; restore the folder or begin a new chain in another one.`,
      { cause },
    )
  }
}

/** Numbers of equal length, which sort as they count. */
function keyOf(number: number): string {
  return number.toString().padStart(10, '0')
}

/** Anything else than an empty folder or a database is left alone. */
async function ensureOwn(folder: string): Promise<void> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return
    throw unusable(folder, messageOf(thrown), thrown)
  }
  if (names.length > 0 && !names.includes('CURRENT')) throw unusable(folder, 'it holds something else')
}

function unusable(folder: string, reason: string, cause?: unknown): SlotmeshError {
  return new SlotmeshError(
    'devchain/folder-unusable',
    `The folder ${folder} cannot hold the chain: ${reason}. Choose an empty or a new one.`,
    { cause },
  )
}
