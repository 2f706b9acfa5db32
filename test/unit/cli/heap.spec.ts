import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

describe('the heap of the command', () => {
  it('is collected when it has doubled, and Node knows what it is told', () => {
    assert.ok(growth({ limit: 4_096 }) < 2.4)
  })

  it('is kept smaller by V8 itself where it may not be large', () => {
    assert.ok(growth({ limit: 512 }) < 1.9)
  })
})

/** @returns how many times what is alive there is at most, where the heap may have so many MB. */
function growth({ limit }: { readonly limit: number }): number {
  const script = `
    import { getHeapStatistics } from 'node:v8'
    const { boundHeapGrowth } = await import(${JSON.stringify(import.meta.resolve('../../../src/cli/heap.js'))})
    boundHeapGrowth()
    const numbers = () => Array.from({ length: 10_000 }, (_, at) => ({ at }))
    const alive = Array.from({ length: 100 }, numbers)
    globalThis.gc()
    const { used_heap_size: before } = getHeapStatistics()
    let most = 0
    // Each outlives two collections of what is young, and then is garbage among what is old.
    for (let turn = 0; turn < 1_500; turn += 1) {
      alive[turn % alive.length] = numbers()
      most = Math.max(most, getHeapStatistics().used_heap_size)
    }
    console.log(most / before)`
  const heap = ['--expose-gc', '--max-semi-space-size=2', `--max-old-space-size=${limit}`]
  const argv = [...heap, '--input-type=module', '--eval', script]
  const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  assert.equal(stderr, '')
  return Number(stdout)
}
