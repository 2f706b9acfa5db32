import { openStore } from '../../../src/store/index.js'
import { logger } from './fixture.js'

// Opens and closes a folder as often as it can, as a supervisor does with a node that does not start, until it is told
// to stop, the folder is under another key, or its parent ends. Then it tells whether it ever found less in it than there
// was.
process.on('disconnect', () => process.exit(0))
const [location = '', sealingKey = ''] = process.argv.slice(2)
let [isAtWork, wasEmpty] = [true, false]
process.once('message', () => {
  isAtWork = false
})
process.send?.('begins')
while (isAtWork) {
  try {
    const store = await openStore({ location, sealingKey: Buffer.from(sealingKey, 'hex'), logger })
    wasEmpty ||= (await store.secret('account-seed')) === undefined
    await store.close()
  } catch (thrown) {
    const { code } = thrown as { code?: string }
    if (code !== 'store/locked') {
      process.send?.(code ?? String(thrown))
      break
    }
  }
  // So that the parent is heard.
  await new Promise((resolve) => setImmediate(resolve))
}
process.send?.(wasEmpty ? 'empty' : 'whole')
process.disconnect()
