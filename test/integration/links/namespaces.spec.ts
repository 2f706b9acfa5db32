import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { INSIDE, whyNoNamespaces } from './namespaces.js'
import type { CaseAnswer } from './namespaces-process.js'

const PROCESS = fileURLToPath(new URL('./namespaces-process.js', import.meta.url))

describe('two slot peers in network namespaces', function () {
  this.timeout(180_000)
  const seed = Math.floor(Math.random() * 2 ** 31)
  let inside: ChildProcess | undefined

  before(async function () {
    const reason = whyNoNamespaces()
    if (reason !== undefined) {
      console.info(`      not tried: this machine lets nobody make network namespaces here (${reason})`)
      this.skip()
    }
    console.info(`      seed 0x${seed.toString(16)}`)
    const [execPath, ...parameters] = INSIDE
    inside = fork(PROCESS, [`${seed}`], { execPath, execArgv: [...parameters, process.execPath] })
    await answer()
  })

  after(async () => {
    if (inside?.connected !== true) return
    inside.disconnect()
    await once(inside, 'exit')
  })

  async function answer(): Promise<CaseAnswer> {
    assert.ok(inside)
    const [answered]: CaseAnswer[] = await Promise.race([
      once(inside, 'message'),
      once(inside, 'exit').then(() => assert.fail('the process inside has ended')),
    ])
    return answered ?? {}
  }

  function play(title: string, name: string): void {
    it(title, async function () {
      inside?.send(name)
      const { error, skipped } = await answer()
      assert.equal(error, undefined)
      if (skipped === undefined) return
      console.info(`      not tried: ${skipped}`)
      this.skip()
    })
  }

  play('have all when they were cut from each other without a word', 'cut from each other')
  play('have all when one was cut from the chain without a word', 'cut from the chain')
  play('have all though cables are taken out again and again', 'flapping')
  play('have all over 200 ms and a loss of 5 %', 'slow and lossy')
  play('have all when one was killed, and came back elsewhere, with nobody told', 'half open')
})
