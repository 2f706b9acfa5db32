import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { Command } from 'commander'
import { completionOf } from '../../../src/cli/completion.js'
import { createProgram } from '../../../src/cli/program.js'

const program = () => createProgram(() => undefined)

/** What a shell of its own makes of a script and of what is put behind it. */
function ran(shell: string, script: string): string {
  const { stdout, stderr, status } = spawnSync(shell, ['-c', script], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

describe('completion', () => {
  function inBash(...words: string[]): string[] {
    const given = words.map((word) => `'${word}'`).join(' ')
    const ask = `COMP_WORDS=(slotmesh ${given}); COMP_CWORD=${words.length}; _slotmesh; printf '%s\\n' "\${COMPREPLY[@]}"`
    return ran('bash', `${completionOf(program(), 'bash')}\n${ask}`)
      .split('\n')
      .filter((word) => word !== '')
  }

  it('knows in bash the commands, those below them, and the flags of each', () => {
    assert.deepEqual(inBash('sta'), ['status'])
    assert.deepEqual(inBash('attest', ''), ['policy', 'quote', 'verify'])
    assert.deepEqual(inBash('attest', 'verify', '--pe'), ['--peer'])
    assert.deepEqual(inBash('join', '--config', 'x.yaml', '--chain'), [
      '--chain',
      '--chain-quiet-after',
      '--chain-connect-timeout',
    ])
    // Files are completed there.
    assert.deepEqual(inBash('join', '--config', ''), [])
  })

  it('describes in zsh every command and flag', function () {
    const script = completionOf(program(), 'zsh')
    assert.match(script, /^#compdef slotmesh\n/)
    assert.match(script, /^ {4}' attest verify'\) .*'--peer:have the running node ask/m)
    if (spawnSync('zsh', ['-c', 'true']).error !== undefined) return this.skip()
    ran('zsh', `compdef() { :; }\n${script}`)
  })
})

describe('the help', () => {
  function leaves(command: Command, path: readonly string[] = []): { command: Command; path: string }[] {
    const below = command.commands.flatMap((each) => leaves(each, [...path, each.name()]))
    return command.commands.length > 0 && path.at(-1) !== 'simulate'
      ? below
      : [{ command, path: path.join(' ') }, ...below]
  }

  function helpOf(command: Command): string {
    let text = ''
    command.configureOutput({
      writeOut: (part) => {
        text += part
      },
    })
    command.outputHelp()
    return text
  }

  it('has an example for every command, with flags that it has', () => {
    for (const { command, path } of leaves(program())) {
      const help = helpOf(command)
      const [, examples = ''] = help.split(/^Examples?\b.*:$/m)
      const typed = [...examples.matchAll(/slotmesh [^\n]*/g)].map(([line]) => line)
      assert.ok(typed.length > 0, `${path} has no example`)
      for (const line of typed) {
        for (const [, flag] of line.matchAll(/ (--[a-z-]+)/g)) {
          const known = program().commands.some((each) => line.startsWith(`slotmesh ${each.name()}`) && has(each, flag))
          assert.ok(known, `${path}: ${flag} in ${line}`)
        }
      }
    }
  })

  function has(command: Command, flag: string | undefined): boolean {
    return command.options.some(({ long }) => long === flag) || command.commands.some((each) => has(each, flag))
  }
})
