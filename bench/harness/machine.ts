import { execFileSync } from 'node:child_process'
import { type Machine, thisMachine } from '../../src/cli/bench/machine.js'

/** With the tree that was measured. */
export function machineAndCommit(): Machine & { readonly commit: string } {
  return { ...thisMachine(), commit: commit() }
}

/** Marked when the tree differs from its commit. */
function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'not in a git tree'
  }
}
