import { spreadOf } from '../harness/statistics.js'

/** The first handshake of a process is the cold one; after some to get warm these many are. */
const [WARMING, WARM] = [10, 20]

export const HANDSHAKES = 1 + WARMING + WARM

/** Of the handshakes of one run, or of one of their parts; ms. */
export interface ColdAndWarm {
  readonly cold: number
  /** The median. */
  readonly warm: number
}

/** @param each of so many handshakes, in their order; ms. */
export function coldAndWarm(each: readonly number[]): ColdAndWarm {
  const [cold = Number.NaN] = each
  return { cold, warm: spreadOf(each.slice(1 + WARMING)).median }
}

/** What a handshake consists of. */
export const PARTS = ['quotes', 'device', 'signatures', 'keys', 'round trips'] as const

export type Part = (typeof PARTS)[number]

/** Beside them, the signatures once more as the targets have them: by the library in JavaScript that most use. */
export const USUAL_SIGNATURES = 'usual signatures'

export type Measured = Part | typeof USUAL_SIGNATURES

/** What one side's parts are measured with; made elsewhere, so that nothing of it is warm. In hexadecimal. */
export interface Materials {
  /** Of the other side. */
  readonly quote: string
  readonly account: string
  readonly message: string
  /** By that account, of that message. */
  readonly signature: string
  /** The other side's, of the KEM that exchanges have. */
  readonly publicKey: string
}

/** The messages of a handshake, as large as they are with X-Wing keys and a quote of this size; bytes. */
export function messagesOf(quote: number) {
  return { hello: 1_500, challenge: 1_400 + quote, request: 1_200 + quote, grant: 1_150 }
}

/** Of a stream on which nothing is done but to answer with as many bytes. */
export const ECHO_PROTOCOL = '/slotmesh/bench/echo'
