/** What a difference is likely to come of. */
export type DifferenceCause =
  | 'own-folder-altered'
  | 'events-missed'
  | 'shares-lost'
  | 'removals-missed'
  | 'peer-behind'
  | 'peer-incomplete'
  | 'peer-keeps-removed'
  | 'peer-disputed'

/** What a comparison has shown. */
interface Findings {
  /** Whether the own folder was found altered. */
  readonly isAltered: boolean
  /** Gaps here of which a block says that they were synced in it, and others. */
  readonly named: number
  readonly unnamed: number
  readonly erased: number
  readonly isPeerBehind: boolean
  readonly ofPeer: {
    readonly missing: number
    readonly outdated: number
    readonly unlisted: number
    readonly disputed: number
  }
}

/** The own ones first; none when nothing differs. */
export function causesOf({ isAltered, named, unnamed, erased, isPeerBehind, ofPeer }: Findings): DifferenceCause[] {
  const likely: [boolean, DifferenceCause][] = [
    [isAltered && named + unnamed > 0, 'own-folder-altered'],
    [!isAltered && named > 0, 'events-missed'],
    [!isAltered && unnamed > 0, 'shares-lost'],
    [erased > 0, 'removals-missed'],
    [isPeerBehind, 'peer-behind'],
    [ofPeer.missing + ofPeer.outdated > 0, 'peer-incomplete'],
    [ofPeer.unlisted > 0, 'peer-keeps-removed'],
    [ofPeer.disputed > 0, 'peer-disputed'],
  ]
  return likely.flatMap(([isSo, cause]) => (isSo ? [cause] : []))
}

const SENTENCES: Record<DifferenceCause, string> = {
  'own-folder-altered': 'the own folder was altered, or set back in part',
  'events-missed':
    'the endpoint of the chain had left the events out when their blocks were taken in here, or the shares were lost since',
  'shares-lost':
    'the shares were lost here, or the endpoint of the chain leaves their events out; their blocks do not tell, or cannot be read any more',
  'removals-missed': 'the endpoint of the chain had left out that they were burned or reverted',
  'peer-behind': 'the peer has not come as far in the chain',
  'peer-incomplete': 'the peer’s folder was set back, it has missed events, or it is fetching them still',
  'peer-keeps-removed': 'the peer has missed that they were burned or reverted',
  'peer-disputed':
    'the peer has versions that the chain does not tell of here: its endpoint of the chain or the own one leaves events out, or the peer lies',
}

/** The causes in words, for a log or a person. */
export function wordsOf(causes: readonly DifferenceCause[]): string {
  return causes.map((cause) => SENTENCES[cause]).join('; ')
}
