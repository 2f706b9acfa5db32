import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bounded } from '../../../src/domain/index.js'

/** As the runtime does by itself, whenever it likes. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

const aborted = (signal: AbortSignal) => once(signal, 'abort').then(() => signal.reason)

describe('bounded work', () => {
  it('ends in time although the garbage collector ran meanwhile', async () => {
    const stopping = new AbortController()
    const reason = bounded({ signals: [stopping.signal], timeoutMs: 50 }, aborted)
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    assert.equal((await reason).name, 'TimeoutError')
  })

  it('ends with the first of its signals, for the same reason', async () => {
    const [one, other] = [new AbortController(), new AbortController()]
    const reason = bounded({ signals: [one.signal, other.signal], timeoutMs: 60_000 }, aborted)
    other.abort('enough')
    one.abort('too late')
    assert.equal(await reason, 'enough')
    assert.equal(await bounded({ signals: [one.signal] }, async (signal) => signal.reason), 'too late')
  })

  it('leaves nothing behind with its signals', async () => {
    const { signal } = new AbortController()
    assert.equal(await bounded({ signals: [signal], timeoutMs: 60_000 }, async () => 'done'), 'done')
    const failing = bounded({ signals: [signal] }, async () => {
      throw new Error('failed')
    })
    await assert.rejects(failing, { message: 'failed' })
    assert.deepEqual(getEventListeners(signal, 'abort'), [])
  })
})
