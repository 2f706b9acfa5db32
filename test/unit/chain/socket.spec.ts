import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import { RpcSocket, type SocketTimes } from '../../../src/chain/connection/socket.js'
import { Random } from '../../support/random.js'

const signal = new AbortController().signal
const HEADS = ['subscribe', 'unsubscribe'] as const

interface Request {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}

/** An endpoint whose every word the test chooses. */
class Peer {
  /** What it does with a request; by default nothing. */
  answer: (request: Request) => void = () => undefined
  readonly url: string
  readonly #server: WebSocketServer

  private constructor(server: WebSocketServer) {
    this.#server = server
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (client) => {
      client.on('message', (data) => this.answer(JSON.parse(data.toString())))
    })
  }

  /** @param autoPong whether it is as alive as a WebSocket has to be */
  static async start(autoPong = true): Promise<Peer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong })
    await once(server, 'listening')
    return new Peer(server)
  }

  get client(): WebSocket {
    const [client] = this.#server.clients
    assert(client !== undefined)
    return client
  }

  get isConnected(): boolean {
    return this.#server.clients.size > 0
  }

  say(message: object): void {
    this.client.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
  }

  notify(subscription: unknown, result: unknown): void {
    this.say({ method: 'news', params: { subscription, result } })
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

describe('a socket to an endpoint', () => {
  let peer: Peer
  let socket: RpcSocket | undefined

  const open = async (times?: SocketTimes): Promise<RpcSocket> => {
    socket = await RpcSocket.open(peer.url, signal, times)
    return socket
  }
  /** Waits until it is of no more use. */
  const lost = async ({ closed }: RpcSocket) => {
    if (!closed.aborted) await once(closed, 'abort')
    return closed.reason
  }

  beforeEach(async () => {
    peer = await Peer.start()
  })

  afterEach(async () => {
    socket?.close()
    await peer.stop()
  })

  it('gives each answer to who asked, whatever their order', async () => {
    const asked: number[] = []
    peer.answer = ({ id }) => {
      asked.push(id)
      if (asked.length === 3) for (const each of asked.reverse()) peer.say({ id: each, result: each * 10 })
    }
    const opened = await open()
    const answers = ['a', 'b', 'c'].map((method) => opened.call(method, [], signal))
    assert.deepEqual(await Promise.all(answers), [10, 20, 30])
  })

  it('tells a refusal with its code, its sentence and its details, each once', async () => {
    const errors = [
      { code: 1010, message: 'Invalid Transaction', data: 'Inability to pay some fees' },
      { code: -32601, message: 'Method not found' },
      { code: 1, message: 'Odd', data: { why: [1] } },
    ]
    peer.answer = ({ id }) => peer.say({ id, error: errors[id - 1] })
    const opened = await open()
    for (const [rpcCode, detail, message] of [
      [1010, 'Inability to pay some fees', '(1010: Invalid Transaction: Inability to pay some fees)'],
      [-32601, 'Method not found', '(-32601: Method not found)'],
      [1, '{"why":[1]}', '(1: Odd: {"why":[1]})'],
    ]) {
      const refusal = { code: 'chain/request-refused', rpcCode, detail, message: `The chain refused m ${message}.` }
      await assert.rejects(opened.call('m', [], signal), refusal)
    }
  })

  it('loses no notification that comes before its subscription is answered', async () => {
    peer.answer = ({ id }) => {
      peer.notify('s', 1)
      peer.notify('s', 2)
      peer.say({ id, result: 's' })
      peer.notify('s', 3)
    }
    const opened = await open()
    const heard: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      const listener = (result: unknown) => {
        if (heard.push(result) === 3) resolve()
      }
      opened.subscribe(HEADS, [], listener, signal).catch(reject)
    })
    assert.deepEqual(heard, [1, 2, 3])
  })

  it('ends a subscription, and takes its last notifications for what they are', async () => {
    const ended = new Promise<Request>((resolve) => {
      peer.answer = (request) => {
        if (request.method === 'unsubscribe') {
          peer.notify('s', 'late')
          resolve(request)
        }
        peer.say({ id: request.id, result: 's' })
      }
    })
    const opened = await open()
    const heard: unknown[] = []
    const end = await opened.subscribe(HEADS, [], (result) => heard.push(result), signal)
    end()
    assert.deepEqual((await ended).params, ['s'])
    assert.equal(await opened.call('m', [], signal), 's')
    assert.deepEqual(heard, [])
  })

  it('ends a subscription that nobody waits for any longer', async () => {
    const patience = new AbortController()
    const ended = new Promise<void>((resolve) => {
      peer.answer = ({ id, method }) => {
        patience.abort()
        if (method === 'unsubscribe') resolve()
        // Only after the abort has been seen.
        setImmediate(() => peer.say({ id, result: 's' }))
      }
    })
    const opened = await open()
    await assert.rejects(
      opened.subscribe(HEADS, [], () => undefined, patience.signal),
      { name: 'AbortError' },
    )
    await ended
  })

  it('has a bounded number of requests under way, and all of them answered in the end', async () => {
    const waiting: Request[] = []
    peer.answer = (request) => waiting.push(request)
    const opened = await open()
    const patience = new AbortController()
    const first = Array.from({ length: 1_024 }, () => opened.call('m', [], signal))
    const abandoned = opened.call('abandoned', [], patience.signal)
    const last = opened.call('last', [], signal)
    patience.abort()
    await assert.rejects(abandoned, { name: 'AbortError' })
    peer.client.ping()
    await once(peer.client, 'pong')
    assert.equal(waiting.length, 1_024)
    peer.answer = (request) => {
      assert.equal(request.method, 'last')
      peer.say({ id: request.id, result: 'last' })
    }
    for (const { id } of waiting) peer.say({ id, result: null })
    await Promise.all(first)
    assert.equal(await last, 'last')
  })

  it('refuses more requests than it can keep', async () => {
    const opened = await open()
    const all = Array.from({ length: 1_024 + 16_384 }, () => opened.call('m', [], signal))
    await assert.rejects(opened.call('m', [], signal), { code: 'chain/too-many-requests' })
    opened.close()
    const settled = await Promise.allSettled(all)
    assert(settled.every(({ status }) => status === 'rejected'))
  })

  it('is lost when an answer takes too long', async () => {
    const opened = await open({ request: 40, ping: 10_000 })
    await assert.rejects(opened.call('m', [], signal), {
      name: 'SocketLost',
      code: 'chain/silent',
      message: /answer m/,
    })
    assert(opened.closed.aborted)
  })

  it('is lost when its pings are not answered', async () => {
    const mute = await Peer.start(false)
    const opened = await RpcSocket.open(mute.url, signal, { request: 10_000, ping: 20 })
    assert.equal((await lost(opened)).code, 'chain/silent')
    await mute.stop()
  })

  it('lives on as long as its pings are answered', async () => {
    // Long enough that a busy machine answers in time.
    const opened = await open({ request: 10_000, ping: 500 })
    for (let ping = 0; ping < 3; ping += 1) await once(peer.client, 'ping')
    assert.equal(opened.closed.aborted, false)
  })

  const GARBAGE: Readonly<Record<string, string | Buffer>> = {
    'no JSON': '{"jsonrpc":',
    'a binary message': Buffer.from('{"jsonrpc":"2.0","id":1,"result":1}'),
    'no object': '17',
    'a batch': '[{"jsonrpc":"2.0","id":1,"result":1}]',
    'another version': '{"jsonrpc":"1.0","id":1,"result":1}',
    'neither result nor error': '{"jsonrpc":"2.0","id":1}',
    'an id that nobody used': '{"jsonrpc":"2.0","id":2,"result":1}',
    'an id that is no number': '{"jsonrpc":"2.0","id":"1","result":1}',
    'an error that is none': '{"jsonrpc":"2.0","id":1,"error":"no"}',
    'an error of no request': '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}',
    'news of nothing': '{"jsonrpc":"2.0","method":"news","params":{"subscription":"s","result":1}}',
    'news without a result': '{"jsonrpc":"2.0","method":"news","params":{"subscription":"s"}}',
    'a request': '{"jsonrpc":"2.0","id":1,"method":"m","params":[]}',
  }
  for (const [what, message] of Object.entries(GARBAGE)) {
    it(`is lost when it hears ${what}`, async () => {
      peer.answer = () => peer.client.send(message)
      const opened = await open()
      const malformed = { name: 'SocketLost', code: 'chain/malformed-answer' }
      await assert.rejects(opened.call('m', [], signal), malformed)
      await assert.rejects(opened.call('m', [], signal), malformed)
    })
  }

  it('is lost when a message is too long', async () => {
    peer.answer = () => peer.client.send('"'.padEnd(32 * 2 ** 20 + 1))
    await assert.rejects((await open()).call('m', [], signal), { name: 'SocketLost', message: /size/ })
  })

  it('survives whatever a peer sends', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = new Random(seed)
    const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)))
    const pieces = ['{', '}', '[', ']', '"jsonrpc":"2.0"', ',', '"id":', '1', '2', '"result":', '"error":', '"method":']
    const messages: (() => string | Buffer)[] = [
      () => bytes(random.below(200)),
      () => bytes(random.below(200)).toString('latin1'),
      () => Array.from({ length: random.below(30) }, () => random.pick(pieces)).join(''),
      () => random.pick(Object.values(GARBAGE)),
      () => JSON.stringify({ jsonrpc: '2.0', id: random.below(4), result: random.below(9) }),
      () => '['.repeat(100_000),
    ]
    try {
      for (let round = 0; round < 100; round += 1) {
        peer.answer = () => {
          const { client } = peer
          for (let count = random.below(6); count > 0; count -= 1) client.send(random.pick(messages)())
          // Bytes that are no frame, too.
          if (random.chance(0.3)) Reflect.get(client, '_socket').write(bytes(1 + random.below(50)))
          client.terminate()
        }
        const opened = await open()
        await Promise.allSettled([
          opened.call('m', [], signal),
          opened.subscribe(HEADS, [], () => undefined, signal),
          opened.call('m', [], signal),
        ])
        assert.match((await lost(opened)).code, /^chain\/(malformed-answer|disconnected)$/)
        while (peer.isConnected) await turn()
      }
    } catch (thrown) {
      throw new Error(`The seed was ${seed}.`, { cause: thrown })
    }
  })
})
