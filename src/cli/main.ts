#!/usr/bin/env node
import { describeFailure } from './failure.js'
import { boundHeapGrowth } from './heap.js'
import { written } from './output.js'
import { runCli } from './program.js'

// The commands say what there is to say; libraries that write to the console by themselves are heard when debugging.
if (!process.env.SLOTMESH_DEBUG) {
  for (const level of ['log', 'info', 'warn', 'error'] as const) console[level] = () => undefined
}

boundHeapGrowth()

// Who reads with `head` has enough when it closes the pipe; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

// Libraries may throw where nobody can catch it; that is told in a sentence, too.
process.on('uncaughtException', (thrown) => {
  const { text, exitCode } = describeFailure(thrown, process.env)
  process.stderr.write(`slotmesh: ${text}\n`)
  process.exit(exitCode)
})

const exitCode = await runCli(process.argv)
await written(process.stdout, process.stderr)
process.exit(exitCode)
