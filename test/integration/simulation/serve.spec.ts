import assert from 'node:assert/strict'
import { type IncomingMessage, request } from 'node:http'
import { createRecorder, type RunRecorder } from '../../../src/simulation/record/index.js'
import { type RunningView, serveView } from '../../../src/simulation/view/index.js'
import { MadeUpRun, madeUpHeader, madeUpRecording } from '../../support/made-up-run.js'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

describe('the server of the simulation’s page', () => {
  let recorder: RunRecorder
  let view: RunningView
  let done: string[]
  let hold: Promise<void> | undefined

  beforeEach(async () => {
    recorder = createRecorder(madeUpHeader({ clusters: 2 }))
    new MadeUpRun({ clusters: 2 }).nextBlock(recorder)
    done = []
    hold = undefined
    view = await serveView({
      run: recorder,
      controls: {
        pause: () => done.push('pause'),
        resume: () => done.push('resume'),
        step: async () => undefined,
        perform: async ({ type }) => {
          done.push(type)
          await hold
        },
        inspect: async (name) => (name === 'c0-s0' ? { state: 'running' } : undefined),
      },
    })
  })

  afterEach(() => view.close())

  const keyOf = () => view.url.split('#key=')[1] ?? ''

  /** Resolves when the answer begins. */
  function begin(path: string, { method = 'GET', headers = {}, body = '' } = {}): Promise<IncomingMessage> {
    const { hostname, port } = new URL(view.url)
    return new Promise((resolve, reject) => {
      const asked = request({ hostname, port, path, method, headers }, resolve)
      asked.on('error', reject)
      asked.end(body)
    })
  }

  async function rest(response: IncomingMessage): Promise<string> {
    let text = ''
    for await (const part of response.setEncoding('utf8')) text += part
    return text
  }

  async function ask(path: string, options = {}): Promise<Answer> {
    const response = await begin(path, options)
    const { statusCode: status = 0, headers } = response
    return { status, headers, text: await rest(response) }
  }

  const ownHeaders = () => ({ origin: new URL(view.url).origin, 'x-slotmesh-key': keyOf() })

  it('listens to this machine alone', () => {
    assert.match(view.url, /^http:\/\/127\.0\.0\.1:\d+\/#key=[0-9a-f]{32}$/)
  })

  it('serves the page and its modules with a policy that lets nothing else in', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/simulation/view/page/page.css', 'text/css'],
      ['/web/page/base.css', 'text/css'],
      ['/simulation/view/page/main.js', 'text/javascript'],
      ['/simulation/record/samples.js', 'text/javascript'],
    ] as const) {
      const { status, headers } = await ask(path)
      assert.equal(status, 200, path)
      assert.ok(String(headers['content-type']).startsWith(type))
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/)
      assert.doesNotMatch(policy, /unsafe/)
    }
  })

  it('has no scripts or styles inside the page itself', async () => {
    const { text } = await ask('/')
    assert.doesNotMatch(text, /<style|style=|<script(?! type="module" src=)| on\w+=/)
  })

  it('serves nothing beyond the page', async () => {
    for (const path of [
      '/package.json',
      '/simulation/view/page/../../../cli/main.js',
      '/%2e%2e/cli/main.js',
      '/simulation/view/server/serve.js',
      '//',
      '/simulation/view/page/page.html',
    ]) {
      const { status } = await ask(path)
      assert.equal(status, 404, path)
    }
  })

  it('is steered by its own page alone', async () => {
    const { origin } = new URL(view.url)
    const refused = [
      {},
      { origin },
      { 'x-slotmesh-key': keyOf() },
      { origin: 'https://elsewhere.example', 'x-slotmesh-key': keyOf() },
      { origin, 'x-slotmesh-key': 'f'.repeat(32) },
      { origin, 'x-slotmesh-key': '' },
      { origin: 'null', 'x-slotmesh-key': keyOf() },
    ]
    for (const headers of refused) {
      const { status } = await ask('/pause', { method: 'POST', headers })
      assert.equal(status, 403, JSON.stringify(headers))
    }
    assert.deepEqual(done, [])
    assert.equal((await ask('/pause', { method: 'POST', headers: ownHeaders() })).status, 200)
    assert.deepEqual(done, ['pause'])
    assert.equal((await ask('/pause', { headers: ownHeaders() })).status, 404)
    assert.equal((await ask('/pause', { method: 'PUT', headers: ownHeaders() })).status, 405)
  })

  it('answers nobody who reached it by another name', async () => {
    const { port } = new URL(view.url)
    for (const host of ['elsewhere.example', `elsewhere.example:${port}`, '127.0.0.1', '127.0.0.1:1']) {
      for (const path of ['/', '/events', '/inspect?enclave=c0-s0']) {
        assert.equal((await ask(path, { headers: { host } })).status, 403, host)
      }
    }
    assert.equal((await ask('/', { headers: { host: `localhost:${port}` } })).status, 200)
  })

  it('takes actions in the words of a scenario, and says what is wrong with others', async () => {
    const send = (body: string) => ask('/action', { method: 'POST', headers: ownHeaders(), body })
    assert.equal((await send('{"type":"kill","enclave":"c0-s1"}')).status, 200)
    for (const body of ['{"type":"kill","enclave":"x"}', '{"type":"explode"}', 'null', '', '{']) {
      const { status, text } = await send(body)
      assert.equal(status, 400, body.slice(0, 40))
      assert.ok(JSON.parse(text).message.length > 10)
    }
    const { text } = await send(`{"type":"heal"${' '.repeat(20_000)}}`)
    assert.equal(JSON.parse(text).message, 'That is too much for an action.')
    assert.deepEqual(done, ['kill'])
  })

  it('does not have the page wait for what takes long, and tells it when that fails', async () => {
    let fail = (_: Error): void => undefined
    hold = new Promise((_, reject) => {
      fail = reject
    })
    const stream = await begin('/events')
    assert.equal((await ask('/action', { method: 'POST', headers: ownHeaders(), body: '{"type":"heal"}' })).status, 200)
    fail(new Error('no'))
    await hold.catch(() => undefined)
    recorder.finish(new MadeUpRun({ clusters: 2 }).result)
    await view.close()
    assert.match(await rest(stream), /event: trouble\ndata: {"message":"What was asked for could not be done\."}/)
  })

  it('tells an enclave’s status, or that there is none', async () => {
    assert.deepEqual(JSON.parse((await ask('/inspect?enclave=c0-s0')).text), { state: 'running' })
    assert.equal((await ask('/inspect?enclave=c9-s0')).status, 404)
  })

  it('does not steer a run that is over', async () => {
    recorder.finish(new MadeUpRun({ clusters: 2 }).result)
    assert.equal((await ask('/pause', { method: 'POST', headers: ownHeaders() })).status, 409)
    assert.deepEqual(done, [])
  })

  it('tells the whole run in its stream, then what happens, and how it ends', async () => {
    const stream = await begin('/events')
    const run = new MadeUpRun({ clusters: 2, blocks: 9 })
    while (!run.isOver) run.nextBlock(recorder)
    recorder.finish(run.result)
    const text = rest(stream)
    await view.close()
    assert.equal(stream.headers['content-type'], 'text/event-stream')
    const messages = [...(await text).matchAll(/event: (\S+)\ndata: (.*)\n\n/g)].map(([, name, data]) => [
      name,
      JSON.parse(data ?? ''),
    ])
    const events = messages.flatMap(([name, data]) => (name === 'events' ? data : []))
    assert.deepEqual(events, recorder.events)
    assert.deepEqual(messages.at(-1), ['outcome', recorder.outcome])
  })

  it('says when its port is taken', async () => {
    const port = Number(new URL(view.url).port)
    const second = serveView({ run: madeUpRecording({ clusters: 1 }), port })
    await assert.rejects(second, { code: 'simulation/port', message: /EADDRINUSE.*Choose another port with --ui\.$/ })
  })
})
