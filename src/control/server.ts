import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { z } from 'zod'
import { bounded, type Logger, messageOf, SlotmeshError } from '../domain/index.js'
import { ControlError } from './errors.js'
import { CONTROL } from './protocol.js'

/** Something that can be asked for. */
export interface Ask {
  /** Of what the request says besides; a ZodError is told to whoever asked. */
  readonly answer: (request: unknown, options: { readonly signal: AbortSignal }) => Promise<unknown>
  /** In place of the usual time, ms. */
  readonly timeoutMs?: number
}

export interface ControlServer {
  /** Ends what is being answered; the socket's file is gone then. */
  close(): Promise<void>
}

const RequestSchema = z.looseObject({ ask: z.string().max(64) })

/**
 * Answers on a Unix socket that only this account can open. A file that is there already is taken away: whoever has the
 * store's lock, as the caller does, is alone.
 *
 * @throws ControlError `control/bad-path`; SlotmeshError `control/cannot-listen`.
 */
export async function serveControl(options: {
  readonly path: string
  readonly asks: ReadonlyMap<string, Ask>
  readonly logger: Logger
  /** In place of {@link CONTROL.idleTimeoutMs}. */
  readonly idleTimeoutMs?: number
}): Promise<ControlServer> {
  const { path, asks, logger, idleTimeoutMs = CONTROL.idleTimeoutMs } = options
  if (Buffer.byteLength(path) > CONTROL.longestPath) throw pathTooLong(path)
  const closing = new AbortController()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setTimeout(idleTimeoutMs, () => socket.destroy())
    const left = new AbortController()
    socket.on('close', () => {
      sockets.delete(socket)
      left.abort(new SlotmeshError('control/left', 'Whoever asked has gone.'))
    })
    converse(socket, { asks, idleTimeoutMs, signals: [closing.signal, left.signal] }).catch((thrown) => {
      logger.debug('a control connection ended', { reason: messageOf(thrown) })
      socket.destroy()
    })
  })
  server.maxConnections = CONTROL.maximumConnections
  try {
    await rm(path, { force: true })
    await listenPrivately(server, path)
  } catch (cause) {
    const sentence = `The control socket ${path} cannot be made (${messageOf(cause)}): check who may write to its folder.`
    throw new SlotmeshError('control/cannot-listen', sentence, { cause })
  }
  server.on('error', (error) => logger.warn('the control socket has failed', { reason: messageOf(error) }))
  return {
    close: async () => {
      closing.abort(new SlotmeshError('node/stopped', 'The node is stopping.'))
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** The file is made in the call itself, so that nobody finds it open to others before its mode is set. */
async function listenPrivately(server: ReturnType<typeof createServer>, path: string): Promise<void> {
  const listening = once(server, 'listening')
  const mask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(mask)
  }
  await listening
}

interface Conversation {
  readonly asks: ReadonlyMap<string, Ask>
  readonly idleTimeoutMs: number
  /** That end what is being answered. */
  readonly signals: readonly AbortSignal[]
}

async function converse(socket: Socket, { asks, idleTimeoutMs, signals }: Conversation): Promise<void> {
  let rest = Buffer.alloc(0)
  // One request after the other: what comes meanwhile waits in the socket.
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      const line = rest.subarray(0, end)
      rest = rest.subarray(end + 1)
      if (line.length > CONTROL.maximumRequest) throw tooLong()
      // Nothing is said while an answer is made, which has a time of its own.
      socket.setTimeout(0)
      const answer = await answerOf(line.toString('utf8'), asks, signals)
      socket.setTimeout(idleTimeoutMs)
      await say(socket, answer)
    }
    if (rest.length > CONTROL.maximumRequest) throw tooLong()
  }
}

async function answerOf(
  line: string,
  asks: ReadonlyMap<string, Ask>,
  signals: readonly AbortSignal[],
): Promise<object> {
  try {
    const request = parsed(line)
    const ask = asks.get(request.ask)
    if (ask === undefined) throw unknown(`This node knows no ${JSON.stringify(request.ask)}; it may be an older one.`)
    const timeoutMs = ask.timeoutMs ?? CONTROL.answerTimeoutMs
    return { answer: await bounded({ signals, timeoutMs }, (signal) => ask.answer(request, { signal })) }
  } catch (thrown) {
    if (thrown instanceof SlotmeshError) return { refused: { code: thrown.code, sentence: thrown.message } }
    return { refused: { code: 'control/failed', sentence: `The node could not answer: ${messageOf(thrown)}.` } }
  }
}

function parsed(line: string): z.infer<typeof RequestSchema> {
  try {
    return RequestSchema.parse(JSON.parse(line))
  } catch (cause) {
    throw unknown('What was asked is no request.', cause)
  }
}

async function say(socket: Socket, answer: object): Promise<void> {
  const line = Buffer.from(`${JSON.stringify(answer)}\n`)
  if (line.length > CONTROL.maximumAnswer) throw new Error(`an answer has ${line.length} bytes`)
  await new Promise<void>((resolve, reject) => {
    socket.once('close', resolve)
    socket.write(line, (error) => {
      socket.off('close', resolve)
      if (error) reject(error)
      else resolve()
    })
  })
}

function tooLong(): ControlError {
  return unknown(`A request has more than ${CONTROL.maximumRequest} bytes.`)
}

function unknown(sentence: string, cause?: unknown): ControlError {
  return new ControlError('control/unknown', sentence, { cause })
}

function pathTooLong(path: string): ControlError {
  return new ControlError(
    'control/bad-path',
    `The control socket ${path} would have a longer path than systems take (${CONTROL.longestPath} bytes): give the store a folder with a shorter one.`,
  )
}
