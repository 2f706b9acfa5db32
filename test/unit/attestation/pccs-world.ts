import type { CollateralCache, CollateralRequest, QuoteCollateral } from '../../../src/attestation/index.js'
import { ofRound as ofRoundBy, resigned as resignedBy } from '../../support/rounds.js'
import { SEED } from './world.js'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const REQUEST: CollateralRequest = { tee: 'sgx', fmspc: '534c4d444556', pceId: '0000', ca: 'platform' }
export const signal = () => AbortSignal.timeout(10_000)

export class MemoryCache implements CollateralCache {
  readonly kept = new Map<string, QuoteCollateral>()

  async get(key: string): Promise<QuoteCollateral | undefined> {
    return this.kept.get(key)
  }

  async put(key: string, collateral: QuoteCollateral): Promise<void> {
    this.kept.set(key, collateral)
  }
}

export class MemoryFloors {
  text: string | undefined

  async read(): Promise<string | undefined> {
    return this.text
  }

  async write(text: string): Promise<void> {
    this.text = text
  }
}

type Changes = Parameters<typeof resignedBy>[2]

export const resigned = (collateral: QuoteCollateral, changes: Changes) => resignedBy(SEED, collateral, changes)
export const ofRound = (collateral: QuoteCollateral, round: number) => ofRoundBy(SEED, collateral, round)
