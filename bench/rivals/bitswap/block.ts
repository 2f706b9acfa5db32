import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'

const RAW = 0x55
const SHA2_256 = 0x12

/** The name of a record as a block. */
export function cidOf(record: Uint8Array): CID {
  return CID.createV1(RAW, create(SHA2_256, createHash('sha256').update(record).digest()))
}
