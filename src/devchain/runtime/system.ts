import { blake2AsHex } from '@polkadot/util-crypto'
import { type Handlers, signerOf } from './call.js'
import { DispatchFailure } from './failure.js'

export const systemCalls: Handlers = {
  'System.remark': (call) => {
    signerOf(call)
  },
  'System.remark_with_event': (call) => {
    const sender = signerOf(call)
    call.execution.emit('System', 'Remarked', { sender, hash: blake2AsHex(call.argument('remark').bytes()) })
  },
  'Timestamp.set': (call) => {
    if (call.origin.kind !== 'none') throw new DispatchFailure({ BadOrigin: null })
    call.execution.put('Timestamp', 'Now', [], call.argument('now').bigint())
  },
}
