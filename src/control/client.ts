import { createConnection, type Socket } from 'node:net'
import { z } from 'zod'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { ControlError } from './errors.js'
import { CONTROL, controlSocketOf } from './protocol.js'

const AnswerSchema = z.union([
  z.object({ answer: z.unknown() }),
  z.object({ refused: z.object({ code: z.string(), sentence: z.string() }) }),
])

/**
 * Asks the node that has this store.
 *
 * @param schema of the answer.
 * @throws ControlError `control/not-running`, `control/not-allowed`, `control/bad-answer`; SlotmeshError with the node's
 * own code when it refuses; the signal's reason.
 */
export async function askNode<Answer>(
  folder: string,
  request: { readonly ask: string; readonly [name: string]: unknown },
  { schema, signal }: { readonly schema: z.ZodType<Answer>; readonly signal: AbortSignal },
): Promise<Answer> {
  const said = parsed(await exchanged(folder, `${JSON.stringify(request)}\n`, signal))
  if ('refused' in said) throw new SlotmeshError(said.refused.code, said.refused.sentence)
  const { data, error } = schema.safeParse(said.answer)
  if (error === undefined) return data
  throw badAnswer(error)
}

async function exchanged(folder: string, line: string, signal: AbortSignal): Promise<string> {
  const path = controlSocketOf(folder)
  if (Buffer.byteLength(path) > CONTROL.longestPath) throw notRunning(folder)
  signal.throwIfAborted()
  const socket = createConnection(path)
  const abort = () => socket.destroy(reasonOf(signal))
  signal.addEventListener('abort', abort, { once: true })
  try {
    socket.write(line)
    return await firstLine(socket)
  } catch (cause) {
    signal.throwIfAborted()
    throw toldApart(cause, folder, path)
  } finally {
    signal.removeEventListener('abort', abort)
    socket.destroy()
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))
}

async function firstLine(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of socket) {
    const bytes: Buffer = chunk
    const end = bytes.indexOf(0x0a)
    chunks.push(end < 0 ? bytes : bytes.subarray(0, end))
    length += bytes.length
    if (end >= 0) return Buffer.concat(chunks).toString('utf8')
    if (length > CONTROL.maximumAnswer) throw badAnswer(new Error(`more than ${CONTROL.maximumAnswer} bytes`))
  }
  throw badAnswer(new Error('the connection ended'))
}

function toldApart(cause: unknown, folder: string, path: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return notRunning(folder, cause)
  if (code === 'EACCES' || code === 'EPERM') {
    const sentence = `The control socket ${path} belongs to another account: run this as the one that runs the node.`
    return new ControlError('control/not-allowed', sentence, { cause })
  }
  return cause instanceof SlotmeshError ? cause : badAnswer(cause)
}

function notRunning(folder: string, cause?: unknown): ControlError {
  const sentence = `No node is running with the store ${folder}: start it with slotmesh join, or name its own --config or --folder.`
  return new ControlError('control/not-running', sentence, { cause })
}

function parsed(line: string): z.infer<typeof AnswerSchema> {
  try {
    return AnswerSchema.parse(JSON.parse(line))
  } catch (cause) {
    throw badAnswer(cause)
  }
}

function badAnswer(cause: unknown): ControlError {
  const sentence = `The node has given no answer that can be read (${messageOf(cause).split('\n')[0]}): it may be of another version, or stopping.`
  return new ControlError('control/bad-answer', sentence, { cause })
}
