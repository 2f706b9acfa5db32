import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { Guard } from '../../../src/api/guard.js'
import { DEFAULT_LIMITS, proxyList } from '../../../src/api/settings.js'

/** What the guard looks at of a connection. */
class PaperSocket extends EventEmitter {
  isDestroyed = false

  constructor(readonly remoteAddress: string) {
    super()
  }

  destroy(): void {
    this.isDestroyed = true
  }
}

describe('the guard of the client API', () => {
  const guardOf = (proxies?: readonly string[]) =>
    new Guard({ ...DEFAULT_LIMITS, connectionsPerAddress: 2 }, proxies && proxyList(proxies))

  const connect = (guard: Guard, address: string): PaperSocket => {
    const socket = new PaperSocket(address)
    guard.admit(socket as unknown as Socket)
    return socket
  }

  it('closes one connection too many of an address, and has room again when one has ended', () => {
    const guard = guardOf()
    const [first, second, third] = [1, 2, 3].map(() => connect(guard, '192.0.2.1'))
    assert.deepEqual([first?.isDestroyed, second?.isDestroyed, third?.isDestroyed], [false, false, true])
    assert.equal(connect(guard, '::ffff:192.0.2.1').isDestroyed, true)
    assert.equal(connect(guard, '192.0.2.2').isDestroyed, false)
    // One that was not let in frees no place.
    third?.emit('close')
    assert.equal(connect(guard, '192.0.2.1').isDestroyed, true)
    first?.emit('close')
    assert.equal(connect(guard, '192.0.2.1').isDestroyed, false)
    assert.equal(connect(guard, '192.0.2.1').isDestroyed, true)
  })

  it('lets a proxy have as many as it wants', () => {
    const guard = guardOf(['10.0.0.0/8'])
    for (let times = 0; times < 5; times += 1) assert.equal(connect(guard, '10.1.2.3').isDestroyed, false)
    assert.equal(guard.isProxy('::ffff:10.1.2.3'), true)
    assert.equal(guard.isProxy('11.0.0.1'), false)
  })
})
