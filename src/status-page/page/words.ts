import { count, duration } from '../../web/page/words.js'
import type { Condition, Overview, TriggerView } from '../model/messages.js'

interface Words {
  readonly mark: string
  readonly headline: string
  readonly advice: (overview: Overview) => string
}

export const CONDITIONS: Readonly<Record<Condition, Words>> = {
  joining: {
    mark: '◌',
    headline: 'Joining: waiting for a seat',
    advice: () =>
      'The chain has no seat for this account yet: its operator registers it, and the committee assigns it to a slot.',
  },
  setup: {
    mark: '◔',
    headline: 'Setting up: fetching every share that there is',
    advice: ({ progress: { held, wanted } }) =>
      `${count(held.secret + held.capsule)} shares are held and ${count(wanted)} are still wanted; it may be stopped, and goes on where it was.`,
  },
  running: {
    mark: '✔',
    headline: 'Running: in step with the chain',
    advice: () => 'All that the chain lists is held, or has just been synced and is on its way.',
  },
  behind: {
    mark: '◑',
    headline: 'Running, but behind the chain',
    advice: ({ progress: { behind, wanted, msLeft } }) =>
      `${count(behind)} blocks behind, ${count(wanted)} shares wanted${msLeft === undefined ? '' : `; about ${duration(msLeft)} to go`}.`,
  },
  stopped: {
    mark: '■',
    headline: 'Stopped',
    advice: () => 'The node has stopped: what is shown here is how it was. Start it again when that was not meant.',
  },
  'chain-lost': {
    mark: '✕',
    headline: 'The chain is lost',
    advice: ({ chain }) =>
      `Nothing new is heard from ${chain?.endpoint ?? 'the chain'}: look at that node of the chain, or configure another endpoint. No share is given out meanwhile.`,
  },
}

/** How long ago, in words that change each second at first and seldom later. */
export function ago(then: number, now: number): string {
  const ms = now - then
  if (ms < 5_000) return 'just now'
  return `${duration(ms < 60_000 ? Math.floor(ms / 1_000) * 1_000 : Math.floor(ms / 60_000) * 60_000)} ago`
}

export function clockTime(at: number): string {
  return new Date(at).toTimeString().slice(0, 8)
}

/** The first and the last digits: enough to find an account again in a list. */
export function shortened(account: string): string {
  return `${account.slice(0, 8)}…${account.slice(-4)}`
}

export function triggerText({ type, kind, nftId, cluster }: TriggerView): string {
  if (type === 'synced') return `${kind} ${nftId} synced by cluster ${cluster}`
  return type === 'removed' ? `${kind} ${nftId} removed` : `capsule ${nftId} to be synced anew`
}
