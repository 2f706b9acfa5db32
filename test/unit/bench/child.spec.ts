import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runPair, runPart, startPart } from '../../../bench/harness/child.js'

describe('a part of a bench', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-bench-child-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function script(code: string): Promise<URL> {
    const file = join(folder, `${code.length}.mjs`)
    await writeFile(file, code)
    return pathToFileURL(file)
  }

  it('gets its input, and hands over its message', async () => {
    const echo = await script('process.send({ got: JSON.parse(process.argv[2]) })')
    assert.deepEqual(await runPart(echo, { shares: 3 }), { got: { shares: 3 } })
  })

  it('fails when it ends before it has a result', async () => {
    await assert.rejects(runPart(await script('process.exit(3)'), {}), /ended with 3 before it had a result/)
  })

  it('is asked for its memory, and not waited for when it has gone', async () => {
    const dying = await script("process.send(1); process.on('message', () => process.exit(4))")
    const part = await startPart(dying, {})
    await assert.rejects(part.peakMemory(), /ended with 4 before it had a result/)
    const telling = await script("process.send(1); process.on('message', () => process.send({ peakMemory: 7 }))")
    const { peakMemory, stop } = await startPart(telling, {})
    assert.equal(await peakMemory(), 7)
    await stop()
  })

  describe('that has another side', () => {
    const provider = "process.send({ port: 9 }); process.on('message', () => process.send({ peakMemory: 7 }))"
    const requester = "process.once('message', ({ port }) => process.send([process.argv[2], port]))"
    const pairOf = async (sides: { provider: string; requester: string }) => ({
      provider: { script: await script(sides.provider), input: 'p' },
      requester: { script: await script(sides.requester), input: 'r' },
    })

    it('is given what that one says', async () => {
      assert.deepEqual(await runPair(await pairOf({ provider, requester })), {
        ready: { port: 9 },
        output: ['"r"', 9],
        providerMemory: 7,
      })
    })

    it('gets ready while the other one does', async () => {
      const marked = join(folder, 'ready')
      const waiting = `import { existsSync } from 'node:fs'
        process.on('message', () => process.send({ peakMemory: 7 }))
        const looking = setInterval(() => {
          if (!existsSync(${JSON.stringify(marked)})) return
          clearInterval(looking)
          process.send({ port: 9 })
        }, 20)`
      const marking = `import { writeFileSync } from 'node:fs'
        writeFileSync(${JSON.stringify(marked)}, '')
        ${requester}`
      assert.deepEqual((await runPair(await pairOf({ provider: waiting, requester: marking }))).output, ['"r"', 9])
    })

    it('fails when either ends before it has a result', async () => {
      const ended = 'process.exit(3)'
      const waiting = 'setInterval(() => undefined, 60_000)'
      await assert.rejects(runPair(await pairOf({ provider: ended, requester: waiting })), /ended with 3 before/)
      await assert.rejects(runPair(await pairOf({ provider, requester: ended })), /ended with 3 before/)
    })
  })
})
