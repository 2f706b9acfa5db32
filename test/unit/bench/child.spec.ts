import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runPart, startPart } from '../../../bench/harness/child.js'

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
})
