/* The origin: its owners have handed over shares, which the chain calls synced one by one. */
import { randomBytes } from 'node:crypto'
import { BLOCK, PROVIDER } from '../../src/cli/bench/world.js'
import { goOn, input, report } from '../harness/child.js'
import { HEAD_PROTOCOL, sharesOf, startEnclave } from './world.js'

export interface LiveInput {
  readonly blocks: number
  /** Shares that are synced in each block. */
  readonly perBlock: number
  /** Of each share. */
  readonly bytes: number
}

export interface LiveReady {
  readonly address: string
}

const { blocks, perBlock, bytes } = input<LiveInput>()
const { host, store, arrive } = await startEnclave({ who: PROVIDER, machineId: 'provider', perBlock })
for (let block = BLOCK + 1; block <= BLOCK + blocks; block += 1) {
  for (const key of sharesOf(block, perBlock))
    await store.putPending({ key, payload: randomBytes(bytes), confirmed: true })
}
await host.handle(HEAD_PROTOCOL, async (stream) => {
  for await (const message of stream) arrive(Buffer.from(message.subarray()).readUInt32BE())
})
goOn()
const ready: LiveReady = { address: host.getMultiaddrs()[0]?.toString() ?? '' }
report(ready)
