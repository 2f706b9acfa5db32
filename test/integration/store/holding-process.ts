import { ClassicLevel } from 'classic-level'

/** Has a folder's database open until it is told to end, as another container's node has. */
const [, , folder = ''] = process.argv
const raw = new ClassicLevel(folder, { compression: false, keyEncoding: 'view', valueEncoding: 'view' })
await raw.open()
await raw.put(Uint8Array.of(0x42), new Uint8Array(200), { sync: true })
process.once('disconnect', () => raw.close())
process.send?.('open')
