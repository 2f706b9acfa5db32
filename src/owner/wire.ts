import { z } from 'zod'
import { fromHex, fromSs58 } from '../crypto/index.js'
import { type AccountId, type BlockNumber, type NftId, SlotmeshError, U32_MAX } from '../domain/index.js'

/** An owner hands over a share; the fields are as on the wire. */
export interface StoreRequest {
  /** SS58. */
  readonly owner_address: string
  /** `<Bytes>{signer}_{block}_{validity}</Bytes>`: the temporary signer that the owner permits to send shares. */
  readonly signer_address: string
  /** `<Bytes>{nftId}_{share}_{block}_{validity}</Bytes>`. */
  readonly data: string
  /** The temporary signer's, over `data`. */
  readonly signature: string
  /** The owner's, over `signer_address`. */
  readonly signersig: string
}

/** In which role the requester has a right to the share. */
export type RequesterType = 'OWNER' | 'DELEGATEE' | 'RENTEE'

/** Somebody asks for a share back; the fields are as on the wire. */
export interface RetrieveRequest {
  /** SS58. */
  readonly requester_address: string
  readonly requester_type: RequesterType
  /** `<Bytes>{nftId}_{block}_{validity}</Bytes>`. */
  readonly data: string
  /** The requester's, over `data`. */
  readonly signature: string
}

/** A metrics server asks that the share of an NFT be gone; the fields are as on the wire. */
export type RemoveRequest = Omit<RetrieveRequest, 'requester_type'>

/** A metrics server asks which shares were synced between two blocks; the fields are as on the wire. */
export interface IntervalRequest {
  /** SS58. */
  readonly metric_account: string
  /** JSON: `[a,b]`. */
  readonly block_interval: string
  /** JSON: `block_number`, `block_validation`, and `data_hash`, which is the SHA-256 of the interval's text in hexadecimal. */
  readonly auth_token: string
  /** The account's, over `auth_token`; `0x` may be left out. */
  readonly signature: string
}

/** When a signed text may be used. */
export interface ValidityWindow {
  readonly block: BlockNumber
  /** In blocks. */
  readonly validity: number
}

/** Blocks. A reader's view of the chain may lag, so a little of the future is accepted. */
const WINDOW = { future: 2, validity: 20 } as const

const u32 = z.int().min(0).max(U32_MAX)
const tokenShape = z.object({ block_number: u32, block_validation: u32, data_hash: z.string() })

const TAGS = ['<Bytes>', '</Bytes>'] as const

/** The tags that wallets put around what they sign: they are part of what is signed. */
function tagged(text: string): string {
  return TAGS.join(text)
}

/** Tags are optional, but come in pairs. */
export function untagged(text: string): string {
  const [opening, closing] = TAGS
  return text.startsWith(opening) && text.endsWith(closing) ? text.slice(opening.length, -closing.length) : text
}

/** A number as Rust's `u32::from_str` reads it: a leading plus and zeros are fine, spaces and overflow are not. */
export function parseU32(text: string | undefined): number | undefined {
  if (text === undefined || !/^\+?[0-9]+$/.test(text)) return undefined
  const value = Number(text)
  return value <= U32_MAX ? value : undefined
}

export function parseWindow(
  blockText: string | undefined,
  validityText: string | undefined,
): ValidityWindow | undefined {
  const block = parseU32(blockText)
  const validity = parseU32(validityText)
  return block === undefined || validity === undefined ? undefined : { block, validity }
}

/** Both ends are valid. */
export function isWithin({ block, validity }: ValidityWindow, now: BlockNumber): boolean {
  return block <= now + WINDOW.future && validity <= WINDOW.validity && block + validity >= now
}

/** The account of an SS58 address of any prefix, or undefined when it is none. */
export function parseAddress(text: string | undefined): AccountId | undefined {
  try {
    return text === undefined ? undefined : fromSs58(text)
  } catch (thrown) {
    if (thrown instanceof SlotmeshError && thrown.code === 'crypto/not-ss58') return undefined
    throw thrown
  }
}

/** The bytes of `0x` and 128 hexadecimal digits, or undefined when the text is anything else. */
export function parseSignature(text: string): Uint8Array | undefined {
  return /^0x[0-9a-fA-F]{128}$/.test(text) ? fromHex(text) : undefined
}

export function signerText(address: string, { block, validity }: ValidityWindow): string {
  return tagged(`${address}_${block}_${validity}`)
}

export function storeText(nftId: NftId, share: string, { block, validity }: ValidityWindow): string {
  return tagged(`${nftId}_${share}_${block}_${validity}`)
}

export function retrieveText(nftId: NftId, { block, validity }: ValidityWindow): string {
  return tagged(`${nftId}_${block}_${validity}`)
}

/** What a metrics server signs. */
export interface MetricsToken {
  readonly window: ValidityWindow
  /** Hexadecimal. */
  readonly dataHash: string
}

/** Undefined when the text is no such JSON; fields that are not known here are passed over. */
export function parseToken(text: string): MetricsToken | undefined {
  let token: unknown
  try {
    token = JSON.parse(untagged(text))
  } catch {
    // Whatever is wrong with it is the sender's.
    return undefined
  }
  const { success, data } = tokenShape.safeParse(token)
  if (!success) return undefined
  return { window: { block: data.block_number, validity: data.block_validation }, dataHash: data.data_hash }
}
