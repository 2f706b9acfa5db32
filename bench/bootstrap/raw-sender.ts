/* The other end of a plain stream: as many bytes as it is asked for. */
import { once } from 'node:events'
import { loopbackHost } from '../../src/cli/bench/world.js'
import { goOn, input, report } from '../harness/child.js'
import type { ProviderReady } from './provider.js'
import { RAW_PROTOCOL } from './world.js'

export interface RawInput {
  readonly bytes: number
}

/** The size of the messages in which shares go. */
const MESSAGE_BYTES = 256 * 1024

const { bytes } = input<RawInput>()
const host = await loopbackHost()
const message = new Uint8Array(MESSAGE_BYTES).fill(1)
await host.handle(RAW_PROTOCOL, async (stream) => {
  for (let left = bytes; left > 0; left -= MESSAGE_BYTES) {
    const canSendMore = stream.send(message.subarray(0, Math.min(left, MESSAGE_BYTES)))
    if (!canSendMore) await once(stream, 'drain')
  }
  await stream.close()
})
goOn()
const ready: ProviderReady = { address: host.getMultiaddrs()[0]?.toString() ?? '' }
report(ready)
