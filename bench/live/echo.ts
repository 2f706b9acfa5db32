/* The other end of a plain stream that sends back what it gets. */
import { loopbackHost } from '../../src/cli/bench/world.js'
import { goOn, report } from '../harness/child.js'
import type { LiveReady } from './provider.js'
import { ECHO_PROTOCOL } from './world.js'

const host = await loopbackHost()
await host.handle(ECHO_PROTOCOL, async (stream) => {
  for await (const message of stream) stream.send(message)
  await stream.close()
})
goOn()
const ready: LiveReady = { address: host.getMultiaddrs()[0]?.toString() ?? '' }
report(ready)
