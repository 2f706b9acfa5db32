/*
 * An enclave in a process of its own, that is ended by SIGKILL: by whoever started it, or by itself at a write of its
 * store, which is where the instants are that matter.
 */
import { Level } from 'level'
import { WebSocket } from 'ws'
import { messageOf } from '../../src/domain/index.js'
import type { EnclaveNode } from '../../src/node/index.js'
import { keepTablesSmall } from '../support/small-tables.js'
import type { Call, Calls, Life, Method } from './calls.js'
import { createNode } from './node.js'

let node: EnclaveNode | undefined

const calls: Calls = {
  live: async ({ deadlyWrite, deadlySubmission, tableBytes, ...input }: Life) => {
    if (tableBytes !== undefined) keepTablesSmall(tableBytes)
    if (deadlyWrite !== undefined) dieAtWrite(deadlyWrite)
    if (deadlySubmission !== undefined) dieAfterSubmission(deadlySubmission)
    node = await createNode(input)
    await node.start()
    return undefined
  },
  status: () => running().status(),
  setClock: async (by) => {
    const now = Date.now.bind(Date)
    Date.now = () => now() + by
    return undefined
  },
  store: (kind, request) => running().storeShare(kind, request, { signal: new AbortController().signal }),
}

function running(): EnclaveNode {
  if (node === undefined) throw new Error('The node has not been created.')
  return node
}

/** What a block costs that brings nothing: the cursor, and the manifest. Nearly all writes are of such. */
const CURSOR_OPERATIONS = 2

function dieAtWrite({ number, when, spinMs }: NonNullable<Life['deadlyWrite']>): void {
  const batch = Reflect.get(Level.prototype, 'batch')
  let writes = 0
  Object.defineProperty(Level.prototype, 'batch', {
    value(this: Level, ...given: unknown[]) {
      const [operations] = given
      if (Array.isArray(operations) && operations.length > CURSOR_OPERATIONS) writes += 1
      const isLast = writes === number
      if (isLast && when === 'before') die()
      const written: Promise<unknown> = Reflect.apply(batch, this, given)
      if (!isLast) return written
      if (when === 'after') return written.then(die)
      // Another thread writes meanwhile.
      const until = performance.now() + spinMs
      while (performance.now() < until);
      return die()
    },
  })
}

function dieAfterSubmission({ number, afterMs }: NonNullable<Life['deadlySubmission']>): void {
  const send = Reflect.get(WebSocket.prototype, 'send')
  let submissions = 0
  Object.defineProperty(WebSocket.prototype, 'send', {
    value(this: WebSocket, message: unknown, ...more: unknown[]) {
      Reflect.apply(send, this, [message, ...more])
      if (!String(message).includes('author_submit')) return
      submissions += 1
      if (submissions === number) setTimeout(die, afterMs)
    },
  })
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('A process has outlived SIGKILL.')
}

async function answer<Name extends Method>({ id, method, parameters }: Call<Name>): Promise<void> {
  const call: Calls[Name] = calls[method]
  try {
    process.send?.({ id, result: await call(...parameters) })
  } catch (thrown) {
    process.send?.({ id, error: messageOf(thrown) })
  }
}

process.on('message', (call: Call) => void answer(call))
process.on('disconnect', () => process.exit(0))
// All that takes time to load is loaded.
process.send?.({ id: 0 })
