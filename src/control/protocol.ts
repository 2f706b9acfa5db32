import { resolve } from 'node:path'

/*
 * What is said over the control socket: a line of JSON each way, again and again.
 *
 *     → {"ask":"status"}
 *     ← {"answer":{…}}  or  {"refused":{"code":"control/unknown","sentence":"…"}}
 *
 * Nothing secret passes. Who may connect is who may open the file: the account that runs the node, and root.
 */
export const CONTROL = {
  /** Bytes of a line that asks; longer ones end the connection. */
  maximumRequest: 8_192,
  /** Bytes of a line that answers: some thousand peers. */
  maximumAnswer: 8_388_608,
  /** At the same time; more are not let in. */
  maximumConnections: 8,
  /** An answer is made within this, unless its kind says otherwise; ms. */
  answerTimeoutMs: 10_000,
  /** A connection on which nothing is said for this long is closed, ms. */
  idleTimeoutMs: 60_000,
  /** Bytes of a path that every system takes for a Unix socket: 104 on the smallest, with the zero at its end. */
  longestPath: 103,
} as const

/** The socket of the node that has this store: beside it, as its lock is. */
export function controlSocketOf(folder: string): string {
  return `${resolve(folder)}.control`
}
