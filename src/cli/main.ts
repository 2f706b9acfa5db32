#!/usr/bin/env node
import './quiet.js'
// The above comes first: what is imported below may have something to say.
import { describeFailure } from './failure.js'
import { boundHeapGrowth } from './heap.js'
import { written } from './output.js'
import { runCli } from './program.js'

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
