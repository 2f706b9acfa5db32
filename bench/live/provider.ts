/* The origin: its owners have handed over shares, which the chain calls synced one by one. */
import { randomBytes } from 'node:crypto'
import { BLOCK, PROVIDER } from '../../src/cli/bench/world.js'
import { goOn, input, report } from '../harness/child.js'
import { HEAD_PROTOCOL, shareOf, startEnclave } from './world.js'

export interface LiveInput {
  readonly shares: number
  /** Of each. */
  readonly bytes: number
}

export interface LiveReady {
  readonly address: string
}

const { shares, bytes } = input<LiveInput>()
const { host, store, arrive } = await startEnclave({ who: PROVIDER, machineId: 'provider' })
for (let block = BLOCK + 1; block <= BLOCK + shares; block += 1) {
  await store.putPending({ key: shareOf(block), payload: randomBytes(bytes), confirmed: true })
}
await host.handle(HEAD_PROTOCOL, async (stream) => {
  for await (const message of stream) arrive(Buffer.from(message.subarray()).readUInt32BE())
})
goOn()
const ready: LiveReady = { address: host.getMultiaddrs()[0]?.toString() ?? '' }
report(ready)
