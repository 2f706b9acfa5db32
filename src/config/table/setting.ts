import type { Kind, ValueOf } from './kinds.js'

/** One row of the table: all that is said of a setting anywhere comes from here. */
export interface Setting {
  readonly kind: Kind
  /** As on a command line, with a word for its value: `--chain <url...>`. Without one only the file can say it. */
  readonly flag?: string
  /** What holds when nothing says it. */
  readonly fallback?: unknown
  /** The same in words, where it is found out rather than fixed. */
  readonly otherwise?: string
  /** What a file could say; shown, commented out, in files that are made. */
  readonly example: unknown
  /** One sentence that ends without a stop. */
  readonly about: string
}

/** Settings by name, and sections of them. */
export interface Section {
  readonly [name: string]: Setting | Section
}

/** What a section holds once it is read: what has a fallback always, the rest where something says it. */
export type SettingsOf<S> = {
  readonly [Name in keyof S as S[Name] extends { kind: Kind; fallback: unknown } ? Name : never]: S[Name] extends {
    kind: infer K
  }
    ? ValueOf<K>
    : never
} & {
  readonly [Name in keyof S as S[Name] extends { kind: Kind; fallback: unknown }
    ? never
    : S[Name] extends { kind: Kind }
      ? Name
      : never]?: S[Name] extends { kind: infer K } ? ValueOf<K> : never
} & {
  readonly [Name in keyof S as S[Name] extends { kind: Kind } ? never : Name]: SettingsOf<S[Name]>
}

/** As a file says it: any part may be left out. */
export type FileOf<S> = {
  readonly [Name in keyof S]?: S[Name] extends { kind: infer K } ? ValueOf<K> : FileOf<S[Name]>
}

export function isSetting(entry: Setting | Section): entry is Setting {
  return typeof entry.about === 'string'
}
