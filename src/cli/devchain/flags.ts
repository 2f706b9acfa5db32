import type { ClusterId, ShareKind } from '../../domain/index.js'

export interface ActingFlags {
  readonly chain: string
  readonly timeout: number
}

export interface SeatFlags extends ActingFlags {
  readonly cluster?: ClusterId
}

export interface MintFlags extends ActingFlags {
  readonly kind: ShareKind
  readonly seedFile: string
}
