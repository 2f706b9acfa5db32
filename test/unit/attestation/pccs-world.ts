import {
  type DevelopmentPki,
  type SimulatedPccs,
  startSimulatedPccs,
} from '../../../src/attestation/development/index.js'
import {
  type CollateralCache,
  type CollateralRequest,
  createQuoteVerifier,
  type PccsCollateral,
  pccsCollateral,
  type QuoteCollateral,
  type QuoteVerifier,
} from '../../../src/attestation/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { ofRound as ofRoundBy, resigned as resignedBy } from '../../support/rounds.js'
import { NOW, POLICY, SEED } from './world.js'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const REQUEST: CollateralRequest = { tee: 'sgx', fmspc: '534c4d444556', pceId: '0000', ca: 'platform' }
/** What collateral for that is kept under. */
export const KEY = 'sgx/534c4d444556/0000/platform'
export const signal = () => AbortSignal.timeout(10_000)

class MemoryCache implements CollateralCache {
  readonly kept = new Map<string, QuoteCollateral>()

  async get(key: string): Promise<QuoteCollateral | undefined> {
    return this.kept.get(key)
  }

  async put(key: string, collateral: QuoteCollateral): Promise<void> {
    this.kept.set(key, collateral)
  }
}

class MemoryFloors {
  text: string | undefined

  async read(): Promise<string | undefined> {
    return this.text
  }

  async write(text: string): Promise<void> {
    this.text = text
  }
}

/** A simulated PCCS, and what a node keeps of what it fetches there. */
export class PccsWorld {
  readonly pccs: SimulatedPccs
  readonly cache = new MemoryCache()
  readonly floors = new MemoryFloors()
  now = NOW
  readonly #rootCertificate: Uint8Array
  readonly #lifetime = new AbortController()

  private constructor(pccs: SimulatedPccs, rootCertificate: Uint8Array) {
    this.pccs = pccs
    this.#rootCertificate = rootCertificate
  }

  static async start({ rootCertificate, collateral, tdxCollateral }: DevelopmentPki): Promise<PccsWorld> {
    return new PccsWorld(await startSimulatedPccs({ sgx: collateral, tdx: tdxCollateral }), rootCertificate)
  }

  /** As a node has it that starts now, with what earlier ones have kept. */
  source(options: Partial<Parameters<typeof pccsCollateral>[0]> = {}): PccsCollateral {
    return pccsCollateral({
      url: this.pccs.url,
      cache: this.cache,
      floors: this.floors,
      rootCertificate: this.#rootCertificate,
      logger: silentLogger,
      lifetime: this.#lifetime.signal,
      now: () => this.now,
      ...options,
    })
  }

  verifier(collateral = this.source()): QuoteVerifier {
    return createQuoteVerifier({
      rootCertificate: this.#rootCertificate,
      collateral,
      policy: POLICY,
      now: () => this.now,
    })
  }

  async stop(): Promise<void> {
    this.#lifetime.abort()
    await this.pccs.stop()
  }
}

type Changes = Parameters<typeof resignedBy>[2]

export const resigned = (collateral: QuoteCollateral, changes: Changes) => resignedBy(SEED, collateral, changes)
export const ofRound = (collateral: QuoteCollateral, round: number) => ofRoundBy(SEED, collateral, round)
