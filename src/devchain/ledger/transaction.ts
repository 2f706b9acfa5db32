import type { GenericCall, GenericExtrinsic } from '@polkadot/types'
import { blake2AsU8a } from '@polkadot/util-crypto'
import { verifySignature } from '../../crypto/index.js'
import type { AccountId, BlockNumber, Hex } from '../../domain/index.js'
import { existentialDeposit, freeBalance } from '../runtime/balances.js'
import type { Execution } from '../runtime/execution.js'
import { Value } from '../runtime/value.js'

/** The only extrinsic format that is accepted. */
const EXTRINSIC_VERSION = 4

/** A signed extrinsic whose signature holds. */
export interface Transaction {
  readonly hash: Hex
  readonly bytes: Hex
  readonly call: GenericCall
  readonly account: AccountId
  readonly nonce: number
  readonly tip: bigint
  /** The first block that must not include it any more; infinite when immortal. */
  readonly death: BlockNumber
}

/** Substrate's reasons for refusing a transaction, with its own words for each. */
const INVALID = {
  Call: 'Transaction call is not expected',
  Payment: 'Inability to pay some fees (e.g. account balance too low)',
  Future: 'Transaction will be valid in the future',
  Stale: 'Transaction is outdated',
  BadProof: 'Transaction has a bad signature',
  AncientBirthBlock: 'Transaction has an ancient birth block',
  ExhaustsResources: 'Transaction would exhaust the block limits',
} as const

/** A transaction that no block may include, as of the block it was checked against. */
export class InvalidTransaction extends Error {
  readonly kind: keyof typeof INVALID

  constructor(kind: keyof typeof INVALID) {
    super(INVALID[kind])
    this.kind = kind
  }
}

/** What a signature covers besides the call and the sender's own choices. */
export interface SigningRules {
  readonly genesisHash: Hex
  readonly specVersion: number
  readonly transactionVersion: number
  /** Undefined for blocks that are not there yet, and for those too old to sign against. */
  blockHash(number: BlockNumber): Hex | undefined
}

/** Longer payloads are hashed before they are signed. */
const LONGEST_SIGNED_PAYLOAD = 256

/**
 * Checks an extrinsic's signature as it would stand in block `next`.
 * @throws InvalidTransaction
 */
export function verifyTransaction(extrinsic: GenericExtrinsic, next: BlockNumber, rules: SigningRules): Transaction {
  if (!extrinsic.isSigned) throw new InvalidTransaction('Call')
  const { era } = extrinsic
  // The birth of the period that `next` lies in: once a transaction's own period is over this is another block, and
  // its signature no longer holds. That is how Substrate refuses expired transactions, too.
  const birth = era.isMortalEra ? era.asMortalEra.birth(next) : 0
  const blockHash = era.isMortalEra ? rules.blockHash(birth) : rules.genesisHash
  if (blockHash === undefined) throw new InvalidTransaction('AncientBirthBlock')

  const account = signerOf(extrinsic)
  const signature = new Value(extrinsic.inner).field('signature').field('signature').only('Sr25519')?.bytes()
  const payload = signedPayload(extrinsic, blockHash, rules)
  if (account === undefined || signature === undefined || !verifySignature(account, payload, signature)) {
    throw new InvalidTransaction('BadProof')
  }
  return {
    hash: extrinsic.hash.toHex(),
    bytes: extrinsic.toHex(),
    call: new Value(extrinsic.method).call(),
    account,
    nonce: extrinsic.nonce.toNumber(),
    tip: extrinsic.tip.toBigInt(),
    death: era.isMortalEra ? era.asMortalEra.death(next) : Number.POSITIVE_INFINITY,
  }
}

function signedPayload(extrinsic: GenericExtrinsic, blockHash: Hex, rules: SigningRules): Uint8Array {
  const { genesisHash, specVersion, transactionVersion } = rules
  // The metadata's signed extensions decide which of these are part of the payload, and in what order.
  const { era, nonce, tip, assetId, mode, metadataHash } = extrinsic
  const values = {
    era,
    nonce,
    tip,
    assetId,
    mode,
    metadataHash,
    genesisHash,
    blockHash,
    specVersion,
    transactionVersion,
  }
  const payload = extrinsic.registry
    .createTypeUnsafe('ExtrinsicPayload', [
      { ...values, method: extrinsic.method.toHex() },
      { version: EXTRINSIC_VERSION },
    ])
    .toU8a({ method: true })
  return payload.length > LONGEST_SIGNED_PAYLOAD ? blake2AsU8a(payload) : payload
}

/**
 * Checks against the state that a transaction may be included, now or once those with lower nonces are.
 * @throws InvalidTransaction
 */
export function checkAffordable(execution: Execution, { account, nonce, tip }: Transaction, fee: bigint): void {
  if (nonce < accountNonce(execution, account)) throw new InvalidTransaction('Stale')
  if (freeBalance(execution, account) < fee + tip + existentialDeposit(execution))
    throw new InvalidTransaction('Payment')
}

export function accountNonce(execution: Execution, account: AccountId): number {
  return execution.value('System', 'Account', account).field('nonce').number()
}

/** The address type may be an account or a `MultiAddress`; of the latter, only one kind is known to this chain. */
function signerOf({ signer }: GenericExtrinsic): AccountId | undefined {
  const address = new Value(signer)
  const account = address.isEnum() ? address.only('Id') : address
  return account?.account()
}
