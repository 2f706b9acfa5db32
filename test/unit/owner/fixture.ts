import { createHash } from 'node:crypto'
import { type AccountSigner, accountSigner, toHex, toSs58, utf8 } from '../../../src/crypto/index.js'
import type { NftFacts, NftId } from '../../../src/domain/index.js'
import type {
  IntervalRequest,
  MetricsRequestFacts,
  RemoveRequest,
  RetrieveRequest,
  StoreRequest,
} from '../../../src/owner/index.js'

function account(fill: number): AccountSigner {
  return accountSigner(new Uint8Array(32).fill(fill))
}

export const owner = account(1)
export const temporarySigner = account(2)
export const delegatee = account(3)
export const stranger = account(4)
export const rentee = account(5)
export const metricsServer = account(6)

export const NFT = 7
/** The latest finalised block of every test. */
export const NOW = 1000
export const SHARE = 'a share of sixteen bytes or more'

/** A secret NFT whose shares are confirmed, and which is a capsule whose shares are, too. */
export const SYNCED: NftFacts = {
  owner: owner.account,
  delegatee: delegatee.account,
  rentee: undefined,
  isSecret: true,
  isSyncingSecret: false,
  isCapsule: true,
  isSyncingCapsule: false,
}

export const SYNCING: NftFacts = { ...SYNCED, isSyncingSecret: true, isSyncingCapsule: true }

/** A chain on which NFT 7 is all there is. */
export function chainWith(nft: NftFacts | undefined): MetricsRequestFacts {
  return {
    finalised: () => ({ number: NOW, hash: `0x${'00'.repeat(32)}` }),
    nft: async (nftId: NftId) => (nftId === NFT ? nft : undefined),
    metricsServers: async () => [metricsServer.account],
  }
}

export function sign(signer: AccountSigner, text: string): string {
  return toHex(signer.sign(utf8(text)))
}

/** A right request to store, with some texts replaced before they are signed, and some fields after. */
export function storing(
  texts: { signer?: string; data?: string } = {},
  fields: Partial<StoreRequest> = {},
  by: AccountSigner = owner,
): StoreRequest {
  const signer = texts.signer ?? `<Bytes>${toSs58(temporarySigner.account)}_${NOW}_15</Bytes>`
  const data = texts.data ?? `<Bytes>${NFT}_${SHARE}_${NOW}_15</Bytes>`
  return {
    owner_address: toSs58(by.account),
    signer_address: signer,
    data,
    signature: sign(temporarySigner, data),
    signersig: sign(by, signer),
    ...fields,
  }
}

/** A right request to retrieve, with the data replaced before it is signed, and some fields after. */
export function retrieving(
  data = `<Bytes>${NFT}_${NOW}_15</Bytes>`,
  fields: Partial<RetrieveRequest> = {},
  by: AccountSigner = owner,
): RetrieveRequest {
  return {
    requester_address: toSs58(by.account),
    requester_type: 'OWNER',
    data,
    signature: sign(by, data),
    ...fields,
  }
}

/** A right request to remove, with the data replaced before it is signed, and some fields after. */
export function removing(
  data = `<Bytes>${NFT}_${NOW}_15</Bytes>`,
  fields: Partial<RemoveRequest> = {},
  by: AccountSigner = metricsServer,
): RemoveRequest {
  return { requester_address: toSs58(by.account), data, signature: sign(by, data), ...fields }
}

export const INTERVAL = '[10,20]'

/** The token of a request for an interval. */
export function token(fields: Readonly<Record<string, unknown>> = {}, interval = INTERVAL): string {
  const hash = createHash('sha256').update(interval).digest('hex')
  return JSON.stringify({ block_number: NOW, block_validation: 15, data_hash: hash, ...fields })
}

/** A right request for an interval, with the texts replaced before they are signed, and some fields after. */
export function listing(
  { interval = INTERVAL, auth = token({}, interval) }: { interval?: string; auth?: string } = {},
  fields: Partial<IntervalRequest> = {},
  by: AccountSigner = metricsServer,
): IntervalRequest {
  return {
    metric_account: toSs58(by.account),
    block_interval: interval,
    auth_token: auth,
    signature: sign(by, auth),
    ...fields,
  }
}
