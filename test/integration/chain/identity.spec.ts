import assert from 'node:assert/strict'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import { Encoder, editedMetadata } from '../../support/metadata.js'
import { logger, signal } from './fixture.js'
import { accountOf, registryEntries, Shelf, SyntheticChain, type SyntheticSeat } from './synthetic.js'

const [enclave, operator, successor] = [accountOf(1), accountOf(2), accountOf(3)]
const metadata = editedMetadata(2)
const encoder = new Encoder(metadata)
const eventsKey = encoder.key('system', 'events')

const event = (name: string, ...fields: unknown[]) => encoder.event(1, 'TEE', name, ...fields)
const seat = (slot: number, account = enclave): SyntheticSeat => ({ account, operator, slot })
const other: SyntheticSeat = { account: accountOf(8), operator: accountOf(9), slot: 0 }
const assigned = (cluster: number) => event('EnclaveAssigned', operator, cluster)
const removed = event('EnclaveRemoved', operator)

/** What is in the registry from a block on, and the events of that block. */
const HISTORY: readonly { events: number[][]; clusters: Record<number, SyntheticSeat[]> }[] = [
  { events: [], clusters: { 0: [other] } },
  { events: [], clusters: { 0: [other] } },
  { events: [assigned(0)], clusters: { 0: [other, seat(1)] } },
  // Concerns somebody else.
  { events: [event('ClusterAdded', 1)], clusters: { 0: [other, seat(1)], 1: [] } },
  { events: [removed, assigned(0)], clusters: { 0: [other, seat(2)], 1: [] } },
  { events: [removed, assigned(1)], clusters: { 0: [other], 1: [seat(4)] } },
  { events: [event('EnclaveUpdated', operator, enclave, '0xabcd')], clusters: { 0: [other], 1: [seat(4)] } },
  { events: [event('EnclaveUpdated', operator, successor, '0x')], clusters: { 0: [other], 1: [seat(4, successor)] } },
  { events: [event('EnclaveUpdated', operator, enclave, '0x')], clusters: { 0: [other], 1: [seat(4)] } },
  { events: [removed], clusters: { 0: [other], 1: [] } },
]
const LAST = HISTORY.length - 1
const SHELVES = HISTORY.map(({ clusters }) => new Shelf(registryEntries(encoder, 2, clusters)))

describe('the identity of an enclave account', () => {
  let server: SyntheticChain
  let chain: Chain

  const start = async (head: number) => {
    server = await SyntheticChain.start(head, (block) => {
      const shelf = SHELVES[Math.min(block, LAST)]
      return {
        specVersion: 1,
        metadata,
        read: (key) => (key === eventsKey ? encoder.events(...(HISTORY[block]?.events ?? [])) : shelf?.read(key)),
        keys: (prefix, size, after) => shelf?.keys(prefix, size, after) ?? [],
      }
    })
    chain = await connectChain({ endpoints: [server.url], logger })
  }

  afterEach(async () => {
    await chain.close()
    await server.stop()
  })

  /** Each change as a line, up to the last of the history. */
  async function changes(after: number, onEach: () => void = () => undefined): Promise<string[]> {
    const lines: string[] = []
    const from = { number: after, hash: await chain.blockHash(after, { signal }) }
    for await (const change of chain.identity(enclave, { signal, after: from })) {
      const { type, block } = change
      const now = 'seat' in change ? ` ${change.seat.cluster}/${change.seat.slot}` : ''
      const before = 'before' in change && change.before ? ` from ${change.before.cluster}/${change.before.slot}` : ''
      lines.push(
        `${block.number} ${type}${now}${before}${type === 'account-replaced' ? ` by ${change.by.slice(0, 4)}` : ''}`,
      )
      if (block.number === LAST) break
      onEach()
    }
    return lines
  }

  const expected = [
    '2 assigned 0/1',
    '4 slot-changed 0/2 from 0/1',
    '5 cluster-changed 1/4 from 0/2',
    '7 account-replaced from 1/4 by 0x03',
    '8 assigned 1/4',
    '9 unregistered from 1/4',
  ]

  it('is told change by change, in the order of blocks, after any time away', async () => {
    await start(LAST)
    assert.deepEqual(await changes(0), ['0 unregistered', ...expected])
    assert.deepEqual(await changes(4), ['4 assigned 0/2', ...expected.slice(2)])
  })

  it('is told as it changes', async () => {
    await start(0)
    // Blocks that change nothing are not told of, so the chain goes on by itself.
    const blocks = chain.follow(0, { signal })
    const going = (async () => {
      for (let head = 1; head <= LAST; head += 1) {
        server.advance(head)
        await blocks.next()
      }
    })()
    assert.deepEqual(await changes(0), ['0 unregistered', ...expected])
    await going
    await blocks.return(undefined)
  })
})
