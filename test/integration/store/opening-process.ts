import { openStore } from '../../../src/store/index.js'
import { logger } from './fixture.js'

// Opens and closes each folder that it is told as often as it can, as a supervisor does with a node that does not start,
// until it is told to stop, the folder is under another key, or its parent ends. Then it tells whether it ever found less
// in it than there was.
process.on('disconnect', () => process.exit(0))
const [sealingKey = ''] = process.argv.slice(2)
let isAtWork = false

process.on('message', (location: string) => {
  if (location === 'stop') isAtWork = false
  else void openAgainAndAgain(location).then((end) => process.send?.(end))
})

async function openAgainAndAgain(location: string): Promise<string> {
  isAtWork = true
  let wasEmpty = false
  process.send?.('begins')
  while (isAtWork) {
    try {
      const store = await openStore({ location, sealingKey: Buffer.from(sealingKey, 'hex'), logger })
      wasEmpty ||= (await store.secret('account-seed')) === undefined
      await store.close()
    } catch (thrown) {
      const { code } = thrown as { code?: string }
      if (code === 'store/wrong-key') break
      if (code !== 'store/locked') return code ?? String(thrown)
    }
    // So that the parent is heard.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return wasEmpty ? 'empty' : 'whole'
}
