import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const STARTER = `
  import { startCommand } from '${new URL('../../../src/conformance/command.js', import.meta.url)}'
  await startCommand('echo begins; cat; echo ended', '')
`

describe('the command that starts a peer', () => {
  it('hears by its standard input that the suite has ended, also when that was killed', async () => {
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', STARTER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let told = ''
    starter.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text
    })
    while (!told.includes('begins')) await once(starter.stdout, 'data')
    // Time enough to read an input that has an end already.
    await promisify(execFile)(process.execPath, ['--version'])
    assert.equal(told, 'begins\n')
    starter.kill('SIGKILL')
    await once(starter.stdout, 'close')
    assert.equal(told, 'begins\nended\n')
  }).timeout(20_000)
})
