import assert from 'node:assert/strict'
import { Blocks } from '../../../src/chain/blocks/blocks.js'
import { triggersIn } from '../../../src/chain/blocks/single.js'
import type { Rpc } from '../../../src/chain/connection/rpc.js'
import { discardedState, RequestRefused } from '../../../src/chain/errors.js'

const { signal } = new AbortController()

/** An endpoint that still has all hashes, and refuses everything else in its words. */
function refusing(words: string): Rpc {
  const refuse = async (method: string) => {
    throw discardedState(new RequestRefused(method, { code: 4003, message: words }))
  }
  const rpc: Partial<Rpc> = {
    blockHash: async (number) => `0x${String(number).padStart(64, '0')}`,
    runtimeVersion: () => refuse('state_getRuntimeVersion'),
    metadata: () => refuse('state_getMetadata'),
    storage: () => refuse('state_getStorage'),
  }
  return rpc as Rpc
}

describe('a block that is read on its own', () => {
  it('is not there where the endpoint has thrown its state away, of which not even the runtime can be told', async () => {
    const rpc = refusing('Client error: UnknownBlock: State already discarded for 0x00')
    assert.equal(await triggersIn(5, new Blocks(rpc, signal), signal), undefined)
  })

  it('is a failure where the endpoint refuses for another reason', async () => {
    const rpc = refusing('Too many requests')
    await assert.rejects(triggersIn(5, new Blocks(rpc, signal), signal), { code: 'chain/request-refused' })
  })
})
