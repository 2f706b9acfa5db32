import assert from 'node:assert/strict'
import { capsule, type Enclave, enclave, payloadOf } from '../store/fixture.js'
import { type Machine, WiredSlot } from './wired-slot.js'

describe('an enclave that was set back by its host', () => {
  const [ONE, TWO] = [enclave(41, 1), enclave(42, 2)]
  const key = capsule(1)
  const text = (edition: number) => Buffer.from(payloadOf(key, edition)).toString()
  let slot: WiredSlot
  let one: Machine
  let two: Machine
  /** The folder of the one that was set back, as it was before that. */
  let right: string
  /** The versions of the capsule. */
  let first: number
  let second: number

  const given = async ({ running }: Machine) => {
    const share = await running.serving.latest(key)
    return share && Buffer.from(share.payload).toString()
  }
  const reached = ({ running: { engine } }: Machine, block: number) =>
    engine.reached(block, { signal: AbortSignal.timeout(10_000) })
  /** Its cluster has the capsule synced, in one edition or another. */
  const sync = async (machine: Machine, of: Enclave, edition: number) => {
    await machine.running.store.putPending({ key, payload: payloadOf(key, edition), confirmed: true })
    const block = slot.chain.finalise([{ type: 'synced', ...key, cluster: of.identity.seat.cluster }])
    await reached(machine, block)
    return block
  }
  const asksAgain = async (times: number) => {
    const served = one.served + times
    await slot.witness.until(() => one.served >= served)
  }

  /** The first enclave holds the first version, and believes itself at that block; the second is about to join. */
  beforeEach(async () => {
    slot = new WiredSlot()
    one = await slot.machine(41, ONE)
    two = await slot.machine(42, TWO)
    slot.seat(TWO)
    slot.chain.finalise([], true)
    slot.seat(ONE, TWO)
    slot.chain.finalise([], true)
    await one.start()
    await reached(one, 2)
    first = await sync(one, ONE, 0)
    await one.stop()
    const old = await one.copy()
    await one.start()
    await reached(one, first)
    second = await sync(one, ONE, 1)
    await reached(one, slot.chain.finalise())
    slot.chain.synced = [key]
    await one.stop()
    right = await one.copy()
    await one.setTo(old)
    // The token of an enclave that is shown no new block would not be taken; this one is not let through them.
    one.chain.readable = first
    await one.start()
  })

  afterEach(() => slot.clear())

  /** With its own folder back the other one gives the newest, and nothing was settled before. */
  const settlesOnceItIsRight = async () => {
    await one.stop()
    await one.setTo(right)
    await one.start()
    await two.running.witness.until(async () => (await given(two)) !== undefined)
    assert.equal(await given(two), text(1))
    assert.equal(two.settled, 0)
  }

  it('does not have an old version taken for the newest, neither while it is behind nor after', async () => {
    await two.start()
    await two.running.witness.until(() => two.told.length >= 3)
    assert.deepEqual(new Set(two.told.map(({ takenIn }) => takenIn)), new Set([first]))
    const { store } = two.running
    const want = await store.want(key)
    assert.deepEqual([(await store.place(key))?.version, want?.asOf], [first, second + 1])
    assert.equal(await given(two), undefined)

    // It comes to the block, and knows that what it holds is old.
    const { length } = two.told
    one.chain.readable = Number.POSITIVE_INFINITY
    slot.chain.finalise()
    await reached(one, second + 2)
    await asksAgain(2)
    assert.equal(two.told.length, length)
    assert.equal(await given(two), undefined)

    await settlesOnceItIsRight()
  })

  it('is heard again by one that restarts on a chain from before it had a seat', async () => {
    await two.start()
    await two.running.witness.until(() => two.told.length >= 1)
    await two.stop()
    // By this one it is alone in its slot.
    two.chain.shown = 1
    await two.start()
    await reached(two, second + 1)
    for (let turn = 0; turn < 50; turn += 1) await two.running.store.want(key)
    assert.equal(await given(two), undefined)

    two.chain.shown = Number.POSITIVE_INFINITY
    slot.chain.finalise()
    await reached(two, second + 2)
    await asksAgain(1)
    assert.equal(await given(two), undefined)
    await settlesOnceItIsRight()
  })
})
