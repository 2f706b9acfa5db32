import assert from 'node:assert/strict'
import { Ledger } from '../../../src/devchain/ledger/ledger.js'
import { developmentMetadata } from '../../../src/devchain/metadata/index.js'
import { RuntimeCodec } from '../../../src/devchain/runtime/codec.js'
import { Sealing } from '../../../src/devchain/sealing.js'
import { silentLogger } from '../../../src/domain/index.js'

describe('the making of blocks', () => {
  const told: string[] = []
  const logger = { ...silentLogger, error: (message: string) => told.push(message) }

  beforeEach(() => told.splice(0))

  /** A chain whose disk is full once it holds some blocks. */
  const open = (room: number) =>
    Ledger.open({
      codec: new RuntimeCodec(developmentMetadata(2)),
      logger,
      name: 'test',
      endowed: [],
      endowment: 0n,
      committee: [],
      fee: 0n,
      finalityLag: 0,
      now: () => 0,
      store: {
        blocks: async function* () {
          yield* []
        },
        append: async ({ number }) => {
          if (number >= room) throw new Error('no space left')
        },
      },
    })

  it('ends, and says so, when a block cannot be kept; nobody is shown that block', async () => {
    const ledger = await open(3)
    const shown: number[] = []
    ledger.blockListeners.add(({ number }) => shown.push(number))
    const sealing = new Sealing(ledger, 1, logger)
    await assert.rejects(sealing.ended, { code: 'devchain/storage-failed' })
    assert.deepEqual([shown, ledger.kept], [[1, 2], 2])
    assert.deepEqual(told, ['A block could not be written', 'No more blocks can be made'])
    assert.throws(() => ledger.seal(), { code: 'devchain/storage-failed' })
    sealing.stop()
  })

  it('ends in peace when it is stopped', async () => {
    const sealing = new Sealing(await open(3), 'instant', logger)
    sealing.stop()
    await sealing.ended
    assert.deepEqual(told, [])
  })
})
