import assert from 'node:assert/strict'
import { once } from 'node:events'
import { accountSigner } from '../../../src/crypto/index.js'
import { type AccountId, type ShareKey, SlotmeshError, systemClock, type Trigger } from '../../../src/domain/index.js'
import type { Store } from '../../../src/store/index.js'
import { SETUP_DONE } from '../../../src/store/records.js'
import { Serving, type SharePeers, SyncEngine, syncedBlock } from '../../../src/sync/index.js'
import {
  capsule,
  type Enclave,
  enclave,
  Folders,
  logger,
  payloadOf,
  secret,
  signal,
  tamper,
  verify,
} from '../store/fixture.js'
import { ScriptedChain, Witness } from './fixture.js'

/** Whose shares are of the cluster that was given last. */
const synced = (key: ShareKey, of: Enclave): Trigger => ({ type: 'synced', ...key, cluster: of.identity.seat.cluster })

/** A slot of enclaves that run, each with a folder, an engine, and what it gives out, and ask each other without a network. */
class Slot implements SharePeers {
  readonly chain = new ScriptedChain()
  readonly #folders = new Folders()
  readonly #sides = new Map<AccountId, Side>()
  readonly requests: { readonly provider: AccountId; readonly given: number }[] = []

  seat(...enclaves: readonly Enclave[]): void {
    this.chain.assign(enclaves.map(({ identity: { account, seat } }) => ({ account, cluster: seat.cluster })))
  }

  async start(seed: number, who: Enclave): Promise<Side> {
    const { account } = who.identity
    const location = this.#sides.get(account)?.location ?? (await this.#folders.make())
    const store = await this.#folders.open(location)
    const [witness, stopping] = [new Witness(), new AbortController()]
    const { chain } = this
    const engine = new SyncEngine({
      signer: accountSigner(new Uint8Array(32).fill(seed)),
      chain,
      store,
      peers: this,
      listener: witness,
      logger,
      clock: systemClock,
    })
    const running = engine.run(stopping.signal)
    const serving = new Serving({ account, store, registry: () => chain.registry() })
    const stop = async () => {
      stopping.abort()
      await running
      await store.close()
      side.isUp = false
    }
    const side: Side = { location, store, witness, engine, serving, stop, isUp: true }
    this.#sides.set(account, side)
    return side
  }

  /** Has the host alter the folder of one that is down, so that what it holds may not be the newest. */
  alter({ location }: Side): Promise<void> {
    return tamper(location, (raw) => raw.del(SETUP_DONE.encodeKey(undefined)))
  }

  async request(provider: AccountId, { wants, onRun, onNotHeld }: Parameters<SharePeers['request']>[1]): Promise<void> {
    const side = this.#sides.get(provider)
    if (!side?.isUp) throw new SlotmeshError('mesh/enclave-not-found', 'The peer is down.')
    const known = await side.serving.knowledge()
    const { newestAsOf } = known
    const stream = side.serving.runs(wants, { maximumBytes: 256 * 1024, signal, newestAsOf })
    let given = 0
    for (let next = await stream.next(); ; next = await stream.next()) {
      if (next.done) {
        for (const key of next.value.notHeld) onNotHeld(key)
        break
      }
      given += next.value.shares.length
      await onRun(verify(next.value), known)
    }
    this.requests.push({ provider, given })
  }

  /** Finalises a block, and waits until all that are up have taken it in. */
  async finalise(triggers: readonly Trigger[] = []): Promise<number> {
    const block = this.chain.finalise(triggers)
    for (const { engine, isUp } of this.#sides.values()) {
      if (isUp) await engine.reached(block, { signal: AbortSignal.timeout(5_000) })
    }
    return block
  }

  async clear(): Promise<void> {
    for (const side of this.#sides.values()) if (side.isUp) await side.stop()
    await this.#folders.clear()
  }
}

interface Side {
  readonly location: string
  readonly store: Store
  readonly witness: Witness
  readonly engine: SyncEngine
  readonly serving: Serving
  readonly stop: () => Promise<void>
  isUp: boolean
}

describe('what is the newest', () => {
  const [ONE, TWO, THREE, GONE] = [enclave(31, 1), enclave(32, 2), enclave(33, 3), enclave(34, 4)]
  let slot: Slot

  beforeEach(() => {
    slot = new Slot()
  })

  afterEach(() => slot.clear())

  const startOne = () => slot.start(31, ONE)
  const startTwo = () => slot.start(32, TWO)
  const startThree = () => slot.start(33, THREE)
  const isRunning = ({ witness }: Side) => witness.until(() => witness.states.includes('running'))
  const gives = async ({ serving }: Side, key: ShareKey) => {
    const share = await serving.latest(key)
    return share && Buffer.from(share.payload).toString()
  }
  const text = (key: ShareKey, edition = 0) => Buffer.from(payloadOf(key, edition)).toString()

  /** An owner hands the share over to the first enclave, and all that are up come to hold it. */
  async function sync(to: Side, of: Enclave, key: ShareKey, edition: number, ...others: Side[]): Promise<number> {
    await to.store.putPending({ key, payload: payloadOf(key, edition), confirmed: true })
    const block = await slot.finalise([synced(key, of)])
    for (const { witness, store } of others) {
      await witness.until(async () => (await store.place(key))?.version === block)
    }
    return block
  }

  it('does not depend on a share that nobody can get: one that joins gets all others, and gives them out', async () => {
    slot.seat(ONE, TWO, GONE)
    const [one, two] = [await startOne(), await startTwo()]
    await Promise.all([isRunning(one), isRunning(two)])
    await sync(one, ONE, capsule(1), 0, two)
    // The host of its cluster's enclave stops it at this moment.
    const lost = await slot.finalise([synced(secret(66), GONE)])
    const now = await slot.finalise()
    slot.chain.synced = [capsule(1), secret(66)]
    slot.seat(ONE, TWO, THREE, GONE)
    const three = await startThree()
    await three.witness.until(async () => (await gives(three, capsule(1))) !== undefined)
    assert.equal(await gives(three, capsule(1)), text(capsule(1)))
    assert.deepEqual((await three.store.want(secret(66)))?.key, secret(66))
    assert.equal((await three.serving.knowledge()).newestAsOf, now)
    // Health goes on saying what is missing.
    assert.equal((await one.serving.knowledge()).newestAsOf, now)
    assert.equal(await syncedBlock(one.store), lost - 1)
  })

  it('is what two enclaves hold whose folders were altered, when neither knows of anything newer', async () => {
    slot.seat(ONE, TWO)
    let [one, two] = [await startOne(), await startTwo()]
    await Promise.all([isRunning(one), isRunning(two)])
    await sync(one, ONE, capsule(1), 0, two)
    slot.chain.synced = [capsule(1)]
    await slot.finalise()
    for (const side of [one, two]) {
      await side.stop()
      await slot.alter(side)
    }
    one = await startOne()
    two = await startTwo()
    assert.deepEqual([one.store.integrity().state, two.store.integrity().state], ['altered', 'altered'])
    await Promise.all([isRunning(one), isRunning(two)])
    const now = await slot.finalise()
    for (const side of [one, two]) {
      assert.equal(await gives(side, capsule(1)), text(capsule(1)))
      assert.equal((await side.serving.knowledge()).newestAsOf, now)
    }
  })

  it('is what the only cluster holds, when its folder was altered', async () => {
    slot.seat(ONE)
    let one = await startOne()
    await isRunning(one)
    await sync(one, ONE, capsule(1), 0)
    slot.chain.synced = [capsule(1)]
    await one.stop()
    await slot.alter(one)
    await slot.chain.finalise()
    one = await startOne()
    await isRunning(one)
    assert.equal(await gives(one, capsule(1)), text(capsule(1)))
  })

  it('is not what the only cluster holds until it has come to the block that it asks about', async () => {
    slot.seat(ONE)
    let one = await startOne()
    await isRunning(one)
    await sync(one, ONE, capsule(1), 0)
    await one.store.putPending({ key: capsule(1), payload: payloadOf(capsule(1), 1), confirmed: true })
    slot.chain.synced = [capsule(1)]
    await one.stop()
    await slot.alter(one)
    const second = slot.chain.finalise([synced(capsule(1), ONE)])
    const released = new AbortController()
    slot.chain.follow = holdingBack(slot.chain, once(released.signal, 'abort'))
    one = await startOne()
    await one.engine.reached(second - 1, { signal: AbortSignal.timeout(5_000) })
    // Whatever there is to do is done by then: nobody is to be asked.
    for (let turn = 0; turn < 50; turn += 1) await one.store.cursor()
    assert.equal((await one.store.want(capsule(1)))?.asOf, second)
    assert.equal(await gives(one, capsule(1)), undefined)
    released.abort()
    await isRunning(one)
    assert.equal(await gives(one, capsule(1)), text(capsule(1), 1))
  })

  it('is not what is held as long as one slot peer has not been heard, and is what that one has', async () => {
    slot.seat(ONE, TWO, THREE)
    let [one, two, three] = [await startOne(), await startTwo(), await startThree()]
    await Promise.all([one, two, three].map(isRunning))
    const first = await sync(one, ONE, capsule(1), 0, two, three)
    slot.chain.synced = [capsule(1)]
    for (const side of [one, two]) {
      await side.stop()
      await slot.alter(side)
    }
    // As after a set-back: those two have lost that this was synced, and only the third one knows.
    const second = await sync(three, THREE, capsule(1), 1)
    await slot.finalise()
    await three.stop()
    // They begin after the block in which it was synced.
    const cursor = slot.chain.finalised().number
    slot.chain.follow = skipping(slot.chain, second)
    one = await startOne()
    two = await startTwo()
    for (const { witness, store } of [one, two]) {
      await witness.until(async () => witness.failures.includes(THREE.identity.account))
      await witness.until(() => slot.requests.length >= 4)
      assert.equal((await store.place(capsule(1)))?.version, first)
      assert.equal((await store.want(capsule(1)))?.asOf, cursor)
    }
    for (const side of [one, two]) {
      assert.equal(await gives(side, capsule(1)), undefined)
      assert.equal((await side.serving.knowledge()).newestAsOf, first)
    }
    three = await startThree()
    for (const side of [one, two]) {
      await side.witness.until(async () => (await gives(side, capsule(1))) !== undefined)
      assert.equal(await gives(side, capsule(1)), text(capsule(1), 1))
    }
  })
})

/** A chain of which no block is heard before it is released. */
function holdingBack(chain: ScriptedChain, released: Promise<unknown>): ScriptedChain['follow'] {
  const follow = chain.follow.bind(chain)
  return async function* (...given) {
    await released
    yield* follow(...given)
  }
}

/** A chain in which nobody hears of what one block has synced. */
function skipping(chain: ScriptedChain, block: number): ScriptedChain['follow'] {
  const follow = chain.follow.bind(chain)
  return async function* (...given) {
    for await (const each of follow(...given)) yield each.block.number === block ? { ...each, triggers: [] } : each
  }
}
