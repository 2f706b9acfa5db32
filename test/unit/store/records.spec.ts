import assert from 'node:assert/strict'
import * as records from '../../../src/store/records.js'

interface AnyTable {
  readonly prefix: number
  decodeKey(bytes: Uint8Array): unknown
}

const tables = Object.entries(records).flatMap(([name, value]): [string, AnyTable][] =>
  typeof value === 'object' && 'prefix' in value ? [[name, value as AnyTable]] : [],
)

describe('records', () => {
  it('have a first byte for each table that no other has', () => {
    const byPrefix = new Map<number, string>()
    for (const [name, { prefix }] of tables) {
      assert.equal(byPrefix.get(prefix), undefined, `${name} and ${byPrefix.get(prefix)} share ${prefix}`)
      byPrefix.set(prefix, name)
    }
    assert.ok(tables.length > 10)
  })

  it('have names that people can read, whatever table they are of', () => {
    const lengths = Array.from({ length: 64 }, (_, length) => length + 1)
    for (const [name, { prefix }] of tables) {
      const names = lengths.map((length) => records.describeName(new Uint8Array(length).fill(1).fill(prefix, 0, 1)))
      const isSecrets = name.startsWith('SECRETS')
      assert.ok(isSecrets || names.some((each) => !each.startsWith('unknown/')), `${name} is not described`)
    }
    assert.equal(records.describeName(records.SECRETS.encodeKey('account-seed')), 'secret/account-seed')
  })
})
