import { resealStore } from '../../../src/store/index.js'

// Seals a folder anew; somebody is going to kill it.
const [location = '', from = '', to = ''] = process.argv.slice(2)
process.send?.('begins')
await resealStore({
  location,
  from: Buffer.from(from, 'hex'),
  to: Buffer.from(to, 'hex'),
  signal: new AbortController().signal,
})
process.disconnect()
