import { systemClock } from '../../../src/domain/index.js'
import { Inventory, type Item, numberOf } from '../../../src/inventory/index.js'
import { Places } from '../../../src/reconcile/admission.js'
import { Comparing, type Differences } from '../../../src/reconcile/comparing.js'
import { partFrom, partOf } from '../../../src/reconcile/parts.js'
import type { Side } from '../../../src/reconcile/party.js'
import { decodePrefixes, encodePrefixes } from '../../../src/reconcile/prefixes.js'
import { account, FakeChain, GENESIS, registryOf, secret } from '../share/fixture.js'

export { account, GENESIS }

export function inventoryOf(items: Iterable<Item>): Inventory {
  const inventory = new Inventory()
  for (const { share, version } of items) inventory.set(share, version)
  return inventory
}

/** Secrets of these ids, each synced in the block of its own number. */
export function secrets(first: number, count: number, step = 1): Item[] {
  return Array.from({ length: count }, (_, at) => {
    const nftId = first + at * step
    return { share: numberOf(secret(nftId)), version: nftId + 1 }
  })
}

/** A whole session without a wire, though in its encoding. */
export function compare(
  here: Inventory,
  there: Inventory,
  turn = 0,
): Differences & { readonly questions: number; readonly asked: number; readonly bytes: number } {
  const comparing = new Comparing(here, turn)
  let [asked, bytes] = [0, 0]
  for (let prefixes = comparing.next(); prefixes !== undefined; prefixes = comparing.next()) {
    const wire = encodePrefixes(prefixes)
    asked += prefixes.length
    bytes += wire.length
    for (const prefix of decodePrefixes(wire)) {
      const part = partOf(there, prefix)
      bytes += part.fingerprints.length + part.items.length + 4
      comparing.take(prefix, partFrom(part, prefix))
    }
  }
  return { ...comparing.result(), questions: comparing.questions, asked, bytes }
}

export const REGISTRY = registryOf(
  [
    { name: 'asking', cluster: 1 },
    { name: 'giving', cluster: 2 },
    { name: 'neighbour', cluster: 2 },
    { name: 'elsewhere', cluster: 3, slot: 4 },
    { name: 'private', cluster: 4 },
    ...Array.from({ length: 8 }, (_, at) => ({ name: `other-${at}`, cluster: 10 + at })),
  ],
  { 4: 'private' },
)

/** One that knows who is at which peer: `peer of <name>`. */
export function sideOf(name: string, inventory: Inventory): Side & { readonly chain: FakeChain } {
  return {
    account: account(name).account,
    chain: new FakeChain(REGISTRY),
    source: { held: async () => ({ held: inventory, takenIn: 1_000_000 }) },
    isKnown: (who, peer) => NAMES.some((each) => account(each).account === who && peer === `peer of ${each}`),
  }
}

const NAMES = [
  'asking',
  'giving',
  'neighbour',
  'elsewhere',
  'private',
  ...Array.from({ length: 8 }, (_, at) => `other-${at}`),
]

export const places = (now = 1_000_000): Places => new Places({ ...systemClock, now: () => now })
