import { Level } from 'level'

/** The smallest buffer that LevelDB has. */
export const SMALLEST_TABLE_BYTES = 65_536

/** LevelDB writes a table, and so compacts, as often as its buffer is full. @returns what has it as large as usual again. */
export function keepTablesSmall(bytes: number): () => void {
  const usual = Object.getOwnPropertyDescriptor(Level.prototype, '_open')
  const open = Reflect.get(Level.prototype, '_open')
  Object.defineProperty(Level.prototype, '_open', {
    configurable: true,
    value(this: Level, options: object) {
      return Reflect.apply(open, this, [{ ...options, writeBufferSize: bytes }])
    },
  })
  return () => {
    if (usual === undefined) Reflect.deleteProperty(Level.prototype, '_open')
    else Object.defineProperty(Level.prototype, '_open', usual)
  }
}
