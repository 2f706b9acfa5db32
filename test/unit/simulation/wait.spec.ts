import assert from 'node:assert/strict'
import { waitUntil, withDeadline } from '../../../src/simulation/wait.js'

describe('waiting on a condition', () => {
  const never = new AbortController().signal

  it('returns once the condition holds', async () => {
    let looks = 0
    const look = async () => (++looks === 2 ? 'seen' : undefined)
    assert.equal(await waitUntil(look, { what: () => 'two looks', timeoutMs: 5_000, signal: never }), 'seen')
  })

  it('says what it waited for when the time is up', async () => {
    const waiting = waitUntil(async () => undefined, { what: () => 'the moon to rise', timeoutMs: 20, signal: never })
    await assert.rejects(waiting, { code: 'simulation/timeout', message: 'Waited 0 s for the moon to rise.' })
  })

  it('does not wait for work that heeds no signal', async () => {
    const stuck = withDeadline(() => new Promise(() => undefined), { what: () => 'ages', timeoutMs: 20, signal: never })
    await assert.rejects(stuck, { code: 'simulation/timeout' })
  })

  it('rejects with the reason when it is aborted', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const waiting = waitUntil(async () => undefined, {
      what: () => 'ever',
      timeoutMs: 5_000,
      signal: controller.signal,
    })
    controller.abort(reason)
    await assert.rejects(waiting, reason)
  })

  it('passes errors of the condition on', async () => {
    const failure = new Error('broken')
    const waiting = waitUntil(() => Promise.reject(failure), { what: () => '', timeoutMs: 5_000, signal: never })
    await assert.rejects(waiting, failure)
  })
})
