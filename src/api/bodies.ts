import { z } from 'zod'
import { SlotmeshError } from '../domain/index.js'

const text = z.string()

export const storeBody = z.object({
  owner_address: text,
  signer_address: text,
  data: text,
  signature: text,
  signersig: text,
})

export const retrieveBody = z.object({
  requester_address: text,
  requester_type: z.enum(['OWNER', 'DELEGATEE', 'RENTEE']),
  data: text,
  signature: text,
})

export const removeBody = z.object({ requester_address: text, data: text, signature: text })

export const intervalBody = z.object({
  metric_account: text,
  block_interval: text,
  auth_token: text,
  signature: text,
})

/** A body that is no request of its route; answered as plain text, as the contract has it. */
export class BodyError extends SlotmeshError {
  override readonly name = 'BodyError'
  readonly httpStatus: 400 | 422

  constructor(httpStatus: 400 | 422, sentence: string) {
    super('api/bad-body', sentence)
    this.httpStatus = httpStatus
  }
}

/** Reads JSON, and zeroes its bytes: they may hold a share. @throws BodyError */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // What the parser says quotes the body.
    throw new BodyError(400, 'The body is not JSON.')
  } finally {
    body.fill(0)
  }
}

/** @throws BodyError that names the fields, and nothing of what they hold. */
export function requestIn<Shape extends z.ZodObject>(shape: Shape, body: unknown): z.output<Shape> {
  const { data, success, error } = shape.safeParse(body)
  if (success) return data
  const fields = [...new Set(error.issues.map(({ path }) => String(path[0] ?? 'the whole')))]
  const known = Object.keys(shape.shape).join(', ')
  throw new BodyError(422, `The body is no request of this kind (${fields.join(', ')}): it takes ${known}.`)
}
