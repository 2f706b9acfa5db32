import { equalBytes, fromHex, toHex } from '../crypto/index.js'
import { type AccountId, messageOf, SlotmeshError } from '../domain/index.js'
import { LIMITS } from './limits.js'
import { DirectoryAnswer, DirectoryRequest } from './wire/record.js'

/** Accounts whose records are wanted, each with the highest sequence of it that is known; 0 where none is. */
export type Wants = ReadonlyMap<AccountId, number>

export interface DirectoryQuestion {
  readonly wants: Wants
  /** Of how many accounts the one who asks knows a record; whoever knows many is asked first. */
  readonly known: number
}

export function encodeQuestion({ wants, known }: DirectoryQuestion): Uint8Array {
  return DirectoryRequest.encode({
    wants: [...wants].map(([account, sequence]) => ({ account: fromHex(account), sequence })),
    known,
  })
}

/** @throws SlotmeshError `mesh/directory-malformed`. */
export function decodeQuestion(bytes: Uint8Array): DirectoryQuestion {
  const { wants, known } = decoded(DirectoryRequest, bytes, { wants: LIMITS.directory.wants })
  const byAccount = new Map(wants.map(({ account, sequence }) => [toHex(account), sequence]))
  const isSound = wants.every(({ account, sequence }) => account.length === 32 && Number.isSafeInteger(sequence))
  if (wants.length === 0 || byAccount.size < wants.length || !isSound) throw malformed()
  return { wants: byAccount, known }
}

export function encodeAnswer(answer: DirectoryAnswer): Uint8Array {
  return DirectoryAnswer.encode(answer)
}

/**
 * The records themselves are not looked at.
 *
 * @throws SlotmeshError `mesh/directory-malformed`.
 */
export function decodeAnswer(bytes: Uint8Array): DirectoryAnswer {
  return decoded(DirectoryAnswer, bytes, { records: LIMITS.directory.wants })
}

interface Codec<Message> {
  encode(message: Partial<Message>): Uint8Array
  decode(bytes: Uint8Array, options: { readonly limits: Record<string, number> }): Message
}

/** Canonical, so that nothing rides along that nobody looks at. */
function decoded<Message>(codec: Codec<Message>, bytes: Uint8Array, limits: Record<string, number>): Message {
  let message: Message
  try {
    message = codec.decode(bytes, { limits })
  } catch (thrown) {
    throw malformed(thrown)
  }
  if (!equalBytes(bytes, codec.encode(message))) throw malformed()
  return message
}

function malformed(cause?: unknown): SlotmeshError {
  const why = cause === undefined ? 'it has a field that is missing, superfluous or wrong' : messageOf(cause)
  return new SlotmeshError('mesh/directory-malformed', `A message of the directory cannot be read: ${why}.`, { cause })
}
