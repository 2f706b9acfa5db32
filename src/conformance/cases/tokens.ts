import { fromHex } from '../../crypto/index.js'
import type { Refusal } from '../../share/index.js'
import type { Token } from '../../share/raw/index.js'
import { type CaseBench, demandRefusal } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { unsuitable } from './values.js'

/** Blocks of the token's anchor, as seen from the newest; the hash is the right one unless it is given. */
interface TokenInit {
  readonly quote: string
  readonly token: (now: number) => { blockNumber: number; validity: number; blockHash?: Uint8Array }
}

const VALIDITY = '`validity` ≤ 20, else MALFORMED'
const FUTURE = '`block_number` ≤ _now_ + 2, else TOKEN_IN_FUTURE'
const EXPIRY = '`block_number` + `validity` ≥ _now_, else TOKEN_EXPIRED; the sum does not wrap'
const HASH = 'if `block_number` ≤ _now_: `block_hash` is the hash of that block'

function tokenCase(id: string, sent: string, expected: Refusal | 'Challenge', init: TokenInit): ConformanceCase {
  return conformanceCase({
    id,
    clause: '4.2',
    quote: init.quote,
    role: 'provider',
    sent: `Hello with a token ${sent}`,
    expected: expected === 'Challenge' ? expected : `Refusal ${expected}`,
    run: (bench) =>
      // At the edges one block more or less would be another case.
      bench.stage.still(async () => {
        await bench.settle()
        const side = await bench.open()
        await side.hello({ body: { token: await tokenOf(bench, init.token) } })
        if (expected === 'Challenge') await side.challenge()
        else demandRefusal(await side.answer(), expected)
      }),
  })
}

/** A token as a case describes it. */
export async function tokenOf({ stage, signal }: CaseBench, describe: TokenInit['token']): Promise<Token> {
  const { blockNumber, validity, blockHash } = describe(stage.now)
  const right = async () =>
    blockNumber > stage.now ? unsuitable(32) : fromHex(await stage.view.blockHash(blockNumber, { signal }))
  return { blockNumber, validity, blockHash: blockHash ?? (await right()) }
}

export const tokenCases: readonly ConformanceCase[] = [
  tokenCase('TOKEN-01', 'of validity 21', 'MALFORMED', {
    quote: VALIDITY,
    token: (now) => ({ blockNumber: now, validity: 21 }),
  }),
  tokenCase('TOKEN-02', 'of validity 2^32 − 1, whose sum would wrap', 'MALFORMED', {
    quote: VALIDITY,
    token: (now) => ({ blockNumber: now, validity: 0xffff_ffff }),
  }),
  tokenCase('TOKEN-03', 'of validity 0, anchored in the newest block', 'Challenge', {
    quote: EXPIRY,
    token: (now) => ({ blockNumber: now, validity: 0 }),
  }),
  tokenCase('TOKEN-04', 'that ends with the newest block', 'Challenge', {
    quote: EXPIRY,
    token: (now) => ({ blockNumber: now - 20, validity: 20 }),
  }),
  tokenCase('TOKEN-05', 'that ended one block ago', 'TOKEN_EXPIRED', {
    quote: EXPIRY,
    token: (now) => ({ blockNumber: now - 21, validity: 20 }),
  }),
  tokenCase('TOKEN-06', 'of validity 0, anchored one block ago', 'TOKEN_EXPIRED', {
    quote: EXPIRY,
    token: (now) => ({ blockNumber: now - 1, validity: 0 }),
  }),
  tokenCase('TOKEN-07', 'anchored two blocks ahead', 'Challenge', {
    quote: FUTURE,
    token: (now) => ({ blockNumber: now + 2, validity: 20 }),
  }),
  tokenCase('TOKEN-08', 'anchored three blocks ahead', 'TOKEN_IN_FUTURE', {
    quote: FUTURE,
    token: (now) => ({ blockNumber: now + 3, validity: 20 }),
  }),
  tokenCase('TOKEN-09', 'anchored in block 2^32 − 1, where the sum with its validity wraps', 'TOKEN_IN_FUTURE', {
    quote: FUTURE,
    token: () => ({ blockNumber: 0xffff_ffff, validity: 20 }),
  }),
  tokenCase('TOKEN-10', 'anchored in the newest block, with another hash', 'UNKNOWN_CHAIN', {
    quote: HASH,
    token: (now) => ({ blockNumber: now, validity: 20, blockHash: unsuitable(32) }),
  }),
  tokenCase('TOKEN-11', 'anchored ten blocks ago, with another hash', 'UNKNOWN_CHAIN', {
    quote: HASH,
    token: (now) => ({ blockNumber: now - 10, validity: 20, blockHash: unsuitable(32) }),
  }),
  tokenCase('TOKEN-12', 'that expired long ago, with a hash of another chain', 'TOKEN_EXPIRED', {
    quote: 'A receiver checks, in this order',
    token: () => ({ blockNumber: 1, validity: 0, blockHash: unsuitable(32) }),
  }),
  tokenCase('TOKEN-13', 'of validity 21 that lies in the future', 'MALFORMED', {
    quote: 'A receiver checks, in this order',
    token: (now) => ({ blockNumber: now + 1_000, validity: 21 }),
  }),
]
