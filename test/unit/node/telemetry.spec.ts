import assert from 'node:assert/strict'
import { silentLogger } from '../../../src/domain/index.js'
import { Telemetry } from '../../../src/node/telemetry.js'

describe('telemetry', () => {
  it('tells every listener, also when one of them fails, and logs which event it was', () => {
    const logged: string[] = []
    const logger = { ...silentLogger, error: (message: string) => logged.push(message) }
    const telemetry = new Telemetry(() => 1, logger)
    const told: string[] = []
    telemetry.subscribe(() => {
      throw new Error('a defect of the embedding program')
    })
    const unsubscribe = telemetry.subscribe(({ type }) => told.push(type))
    telemetry.stateChanged('running')
    telemetry.refusalSent('BUSY')
    unsubscribe()
    telemetry.refusalSent('BUSY')
    assert.deepEqual(told, ['state', 'refusal-sent'])
    assert.deepEqual(logged, ['a listener failed', 'a listener failed', 'a listener failed'])
    assert.deepEqual(telemetry.counts().refusals.sent, { BUSY: 2 })
  })
})
