import { sign } from 'node:crypto'
import { derElements } from '../../../src/attestation/der.js'
import { type Authority, issueCrl } from '../../../src/attestation/development/authority.js'

/**
 * A list of many serials (hexadecimal, whole bytes), which the generator would take minutes for.
 *
 * @param extensions of each entry, DER.
 */
export async function longCrl(
  issuer: Authority,
  serials: string[],
  validity: { from: Date; until: Date },
  extensions: Uint8Array = new Uint8Array(),
) {
  const [list] = derElements(await issueCrl(issuer, ['01'], validity))
  const [tbs, algorithm] = derElements(list?.content ?? new Uint8Array())
  const fields = derElements(tbs?.content ?? new Uint8Array())
  const date = fields[3]?.raw ?? new Uint8Array()
  const entries = serials.map((serial) => der(0x30, der(0x02, Buffer.from(serial, 'hex')), date, extensions))
  const body = fields.map(({ raw }, at) => (at === 5 ? der(0x30, ...entries) : raw))
  const signed = der(0x30, ...body)
  const signature = sign('sha256', signed, issuer.key.privateKey)
  return der(0x30, signed, algorithm?.raw ?? new Uint8Array(), der(0x03, Uint8Array.of(0), signature))
}

/** One element of DER. */
export function der(tag: number, ...content: Uint8Array[]): Buffer {
  const { length } = Buffer.concat(content)
  const bytes = [length >> 16, (length >> 8) & 0xff, length & 0xff]
  const header = length < 0x80 ? [length] : [0x83, ...bytes]
  return Buffer.concat([Uint8Array.of(tag, ...header), ...content])
}
