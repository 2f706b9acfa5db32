import type { AttestationPolicy } from '../../attestation/index.js'
import type { Hex } from '../../domain/index.js'

/** What one value of a setting may be, as data, so that whoever shows it need not load what checks it. */
export type ValueKind =
  | { readonly is: 'text'; readonly longest: number }
  /** Of a file or a folder; in a configuration file relative to that. */
  | { readonly is: 'path' }
  | { readonly is: 'choice'; readonly of: readonly string[] }
  | { readonly is: 'whole'; readonly minimum: number; readonly maximum: number }
  | { readonly is: 'yes-or-no' }
  /** A URL of one of the schemes, without user and password, since it is printed and logged. */
  | { readonly is: 'url'; readonly schemes: readonly string[] }
  | { readonly is: 'hex'; readonly bytes: number }
  /** `tcp`: one that can be listened on; others may be names that only lead to TCP addresses. */
  | { readonly is: 'multiaddr'; readonly tcp: boolean }
  /** Where a server listens: `127.0.0.1:9615`, or a port alone, which is one of 127.0.0.1. */
  | { readonly is: 'listen-address' }
  /** Where a sealing key comes from, such as `file:/run/secrets/key`. */
  | { readonly is: 'sealing-source' }

export type Kind =
  | ValueKind
  | { readonly is: 'list'; readonly of: ValueKind; readonly fewest: number; readonly most: number }
  /** An attestation policy, which only a file can say. */
  | { readonly is: 'policy' }

/** What a setting of a kind holds once it is read. */
export type ValueOf<K> = K extends { is: 'list'; of: infer Of }
  ? readonly ValueOf<Of>[]
  : K extends { is: 'choice'; of: readonly (infer Word)[] }
    ? Word
    : K extends { is: 'whole' }
      ? number
      : K extends { is: 'yes-or-no' }
        ? boolean
        : K extends { is: 'hex' }
          ? Hex
          : K extends { is: 'policy' }
            ? AttestationPolicy
            : K extends { is: 'text' | 'path' | 'url' | 'multiaddr' | 'listen-address' | 'sealing-source' }
              ? string
              : never
