import assert from 'node:assert/strict'
import { Stage } from '../../../src/conformance/stage.js'

describe('the chain of the conformance suite', function () {
  this.timeout(60_000)

  it('is still only when the suite has seen what was submitted before', async () => {
    const stage = await Stage.open(AbortSignal.timeout(60_000))
    try {
      const [origin] = stage.cast.origins
      assert.ok(origin)
      const submitting = stage.setClusterType(origin.cluster, 'Private')
      const seen = await stage.still(async () => stage.now)
      assert.ok(seen >= (await submitting), 'A block came of what was submitted before.')
    } finally {
      await stage.close()
    }
  })
})
