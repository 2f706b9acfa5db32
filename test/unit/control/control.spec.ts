import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type Ask, askNode, type ControlServer, controlSocketOf, serveControl } from '../../../src/control/index.js'
import { SlotmeshError, silentLogger } from '../../../src/domain/index.js'

const { signal } = new AbortController()

describe('the control socket', () => {
  let scratch: string
  let folder: string
  let server: ControlServer | undefined

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-control-'))
    folder = join(scratch, 'store')
  })

  afterEach(async () => {
    await server?.close()
    server = undefined
    await rm(scratch, { recursive: true })
  })

  async function serve(asks: Record<string, Ask['answer']>, idleTimeoutMs?: number): Promise<void> {
    const known = new Map(Object.entries(asks).map(([name, answer]) => [name, { answer }]))
    const idle = idleTimeoutMs === undefined ? {} : { idleTimeoutMs }
    server = await serveControl({ path: controlSocketOf(folder), asks: known, logger: silentLogger, ...idle })
  }

  it('answers this account alone, in place of what a killed node has left, and is gone when it is closed', async () => {
    await writeFile(controlSocketOf(folder), '')
    await serve({ name: async () => 'one' })
    assert.equal((await stat(controlSocketOf(folder))).mode & 0o777, 0o600)
    assert.equal(await askNode(folder, { ask: 'name' }, { schema: z.string(), signal }), 'one')
    await server?.close()
    await assert.rejects(stat(controlSocketOf(folder)), { code: 'ENOENT' })
    await assert.rejects(askNode(folder, { ask: 'name' }, { schema: z.string(), signal }), {
      code: 'control/not-running',
    })
  })

  it('tells what a node refuses, what it does not know, and what cannot be read', async () => {
    await serve({
      refuse: async () => {
        throw new SlotmeshError('node/not-set-up', 'Not yet.')
      },
      name: async () => 'one',
    })
    const ask = (name: string) => askNode(folder, { ask: name }, { schema: z.number(), signal })
    await assert.rejects(ask('refuse'), { code: 'node/not-set-up', message: 'Not yet.' })
    await assert.rejects(ask('fly'), { code: 'control/unknown' })
    await assert.rejects(ask('name'), { code: 'control/bad-answer' })
  })

  it('answers one request after the other, and hears no more from who says too much', async () => {
    let running = 0
    await serve({
      turn: async (request) => {
        running += 1
        await new Promise((resolve) => setImmediate(resolve))
        const now = running
        running -= 1
        return { now, ...Object(request) }
      },
    })
    const socket = createConnection(controlSocketOf(folder))
    socket.setEncoding('utf8')
    socket.write('{"ask":"turn","at":1}\n{"ask":"turn","at":2}\nno request\n')
    let said = ''
    while (said.split('\n').length < 4) said += String((await once(socket, 'data'))[0])
    const [first, second, third] = said.split('\n').map((line) => (line === '' ? undefined : JSON.parse(line)))
    assert.deepEqual([first.answer.now, first.answer.at, second.answer.at], [1, 1, 2])
    assert.equal(third.refused.code, 'control/unknown')

    const closed = once(socket, 'close')
    socket.on('error', () => undefined).write('x'.repeat(10_000))
    await closed
  })

  it('closes a connection on which nothing is said, and none on which an answer is being made', async () => {
    const [begun, ended] = [new EventEmitter(), new EventEmitter()]
    await serve(
      {
        copy: async () => {
          begun.emit('begun')
          await once(ended, 'ended')
          return 'done'
        },
      },
      50,
    )
    const isBegun = once(begun, 'begun')
    const asked = askNode(folder, { ask: 'copy' }, { schema: z.string(), signal })
    await isBegun
    // As long as this one is open, the other's time may not be over either.
    const idle = createConnection(controlSocketOf(folder))
    await once(idle, 'close')
    ended.emit('ended')
    assert.equal(await asked, 'done')
  })

  it('gives up what it is asked when whoever asked has gone', async () => {
    const events = new EventEmitter()
    await serve({
      wait: (_, { signal: limit }) => {
        limit.addEventListener('abort', () => events.emit('given up'))
        events.emit('begun')
        return new Promise((_resolve, reject) => limit.addEventListener('abort', () => reject(limit.reason)))
      },
    })
    const leaving = new AbortController()
    const [isBegun, isGivenUp] = [once(events, 'begun'), once(events, 'given up')]
    const asked = askNode(folder, { ask: 'wait' }, { schema: z.unknown(), signal: leaving.signal })
    await isBegun
    leaving.abort()
    await Promise.all([assert.rejects(asked), isGivenUp])
  })

  it('gives up what it is asked when the node stops', async () => {
    let begun: (() => void) | undefined
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    await serve({
      wait: (_, { signal: limit }) => {
        begun?.()
        return new Promise((_resolve, reject) => limit.addEventListener('abort', () => reject(limit.reason)))
      },
    })
    const asked = askNode(folder, { ask: 'wait' }, { schema: z.unknown(), signal })
    await isBegun
    await Promise.all([server?.close(), assert.rejects(asked, SlotmeshError)])
  })

  it('is refused a path that no socket can have', async () => {
    folder = join(scratch, 'x'.repeat(100))
    await assert.rejects(serve({}), { code: 'control/bad-path' })
  })
})
