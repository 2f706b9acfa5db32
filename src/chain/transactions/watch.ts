import { z } from 'zod'
import type { BlockHash, Hex } from '../../domain/index.js'
import type { RpcSocket } from '../connection/socket.js'

const UPDATES = ['author_submitAndWatchExtrinsic', 'author_unwatchExtrinsic'] as const

const finalised = z.object({ finalized: z.custom<BlockHash>((value) => /^0x[0-9a-f]{64}$/.test(String(value))) })

/** With these a pool stops watching; whether the transaction is in a block is to be found out otherwise. */
const lost = z.union([
  z.enum(['dropped', 'invalid']),
  z.object({ usurped: z.string() }),
  z.object({ finalityTimeout: z.string() }),
])

/** The block that a transaction became final in, or `unknown` when its watch ended before that. */
export type Fate = BlockHash | 'unknown'

/** A transaction that was handed to a node's pool. */
export interface Watch {
  /** Never rejects. */
  readonly fate: Promise<Fate>
  end(): void
}

/** @throws RequestRefused when the pool does not take it, SocketLost, or the signal's reason. */
export async function submitAndWatch(socket: RpcSocket, transaction: Hex, signal: AbortSignal): Promise<Watch> {
  let settle: (fate: Fate) => void = () => undefined
  const fate = new Promise<Fate>((resolve) => {
    settle = resolve
  })
  const loseSight = () => settle('unknown')
  socket.closed.addEventListener('abort', loseSight)
  const heard = (status: unknown) => {
    const end = finalised.safeParse(status)
    if (end.success) settle(end.data.finalized)
    else if (lost.safeParse(status).success) loseSight()
  }
  try {
    const unsubscribe = await socket.subscribe(UPDATES, [transaction], heard, signal)
    const end = () => {
      socket.closed.removeEventListener('abort', loseSight)
      unsubscribe()
    }
    return { fate, end }
  } catch (thrown) {
    socket.closed.removeEventListener('abort', loseSight)
    throw thrown
  }
}
