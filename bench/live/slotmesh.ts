/* A replica that lacks nothing, until a share is synced. */
import { EventEmitter, once } from 'node:events'
import { BLOCK, REQUESTER } from '../../src/cli/bench/world.js'
import { input, otherSide, report } from '../harness/child.js'
import { spreadOf } from '../harness/statistics.js'
import type { LiveInput, LiveReady } from './provider.js'
import { HEAD_PROTOCOL, startEnclave } from './world.js'

export interface LiveOutput {
  /** Of the blocks after the first quarter, from the head until the last share of the block is durable. */
  readonly medianMs: number
  /** Durable in the end. */
  readonly shares: number
  readonly exchanges: number
}

const { blocks, perBlock } = input<LiveInput>()
const { address } = await otherSide<LiveReady>()
const events = new EventEmitter()
let [exchanges, left] = [0, 0]
const { host, store, arrive } = await startEnclave({
  who: REQUESTER,
  machineId: 'requester',
  perBlock,
  address,
  listener: {
    shareStored: () => {
      left -= 1
      if (left === 0) events.emit('stored', performance.now())
    },
    exchangeDone: () => {
      exchanges += 1
      if (left === 0) events.emit('done')
    },
  },
})
const [connection] = host.getConnections()
if (connection === undefined) throw new Error('The provider is not there.')
const heads = await connection.newStream(HEAD_PROTOCOL)
const times: number[] = []
for (let block = BLOCK + 1; block <= BLOCK + blocks; block += 1) {
  left = perBlock
  const [stored, done] = [once(events, 'stored'), once(events, 'done')]
  const message = Buffer.alloc(4)
  message.writeUInt32BE(block)
  heads.send(message)
  const begun = performance.now()
  arrive(block)
  const [storedAt] = await stored
  times.push(storedAt - begun)
  await done
}
const warm = times.slice(Math.floor(blocks / 4))
const output: LiveOutput = { medianMs: spreadOf(warm).median, shares: store.counts().shares.secret, exchanges }
report(output)
process.exit()
