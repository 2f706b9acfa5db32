import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { toHex } from '../../../src/crypto/index.js'
import { type LogFields, type ShareKey, SlotmeshError, systemClock, type Trigger } from '../../../src/domain/index.js'
import { Inventory, numberOf } from '../../../src/inventory/index.js'
import type { Store } from '../../../src/store/index.js'
import { type Comparison, SyncEngine } from '../../../src/sync/index.js'
import { capsule, Folders, logger, payloadOf, seal, secret, signal } from '../store/fixture.js'
import { blockAt, ComparingPeers, own, peerA, peerB, ScriptedChain, StorePeers, Witness } from './fixture.js'

const all = [own, peerA, peerB].map(({ identity }) => ({ account: identity.account, cluster: identity.seat.cluster }))
const synced = (key: ShareKey, cluster: number): Trigger => ({ type: 'synced', ...key, cluster })
const stranger = (at: number) => toHex(new Uint8Array(32).fill(200 + at))
const [A, B] = [peerA.identity.account, peerB.identity.account]

describe('reconciliation of what slot peers hold', () => {
  const folders = new Folders()
  let chain: ScriptedChain
  let shares: StorePeers
  let peers: ComparingPeers
  let witness: Witness
  let store: Store
  let storeA: Store
  let engine: SyncEngine
  let compared: Comparison[]
  let warnings: [string, LogFields | undefined][]
  let stop: () => Promise<void>

  /** The first share is held by both. */
  beforeEach(async () => {
    chain = new ScriptedChain()
    shares = new StorePeers()
    peers = new ComparingPeers()
    witness = new Witness()
    compared = []
    warnings = []
    store = await folders.open(await folders.make())
    storeA = await folders.open(await folders.make())
    await storeA.beginSetup(peerA.identity, 0, [])
    shares.up.set(A, { store: storeA, syncedBlock: 1_000 })
    peers.up.set(A, { held: storeA.held, takenIn: 1_000 })
    chain.assign(all)
    chain.synced = []
    start()
    await witness.until(() => witness.states.includes('running'))
    await sync(capsule(1))
  })

  afterEach(async () => {
    await stop()
    await folders.clear()
  })

  function start(everyMs = 3_600_000, random = () => 0.5): void {
    const stopping = new AbortController()
    engine = new SyncEngine({
      signer: own.signer,
      chain,
      store,
      peers: shares,
      listener: witness,
      logger: { ...logger, warn: (message, fields) => warnings.push([message, fields]) },
      clock: systemClock,
      reconciliation: {
        chain,
        store,
        peers,
        onReconciled: (reconciled) => witness.reconciled(reconciled),
        onFailed: () => undefined,
        random,
        everyMs,
        chainComparison: { waitMs: () => Number.POSITIVE_INFINITY, onCompared: (each) => compared.push(each) },
      },
    })
    const running = engine.run(stopping.signal)
    stop = async () => {
      stopping.abort()
      await running
    }
  }

  /** The first peer's cluster has a share synced, in the block that comes next. @returns the block. */
  async function sealNext(key: ShareKey): Promise<number> {
    const block = chain.finalised().number + 1
    await seal(storeA, peerA, block, [key], block)
    return block
  }

  async function sync(key: ShareKey): Promise<number> {
    const block = await sealNext(key)
    chain.finalise([synced(key, 0)])
    await witness.until(async () => (await store.place(key))?.version === block)
    return block
  }

  /** The same, and those who follow the chain are not told. */
  async function miss(key: ShareKey): Promise<number> {
    const block = await sealNext(key)
    chain.finaliseUntold([synced(key, 0)])
    await engine.reached(block, { signal })
    return block
  }

  const reconcile = async (most = 1) => engine.reconcile({ most, signal })
  const asked = () => shares.requests.length

  it('says that nothing differs where nothing does', async () => {
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.peer, reconciled?.causes, reconciled?.isComplete], [A, [], true])
    assert.deepEqual([reconciled?.missing, reconciled?.outdated, reconciled?.erased], [0, 0, 0])
    assert.deepEqual(warnings, [])
  })

  it('finds a share that was missed, fetches it from its origin, and says what it is likely to come of', async () => {
    const block = await miss(secret(5))
    assert.equal(store.counts().wants, 0)
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, reconciled?.outdated, reconciled?.causes], [1, 0, ['events-missed']])
    await witness.until(async () => (await store.place(secret(5))) !== undefined)
    assert.equal((await store.place(secret(5)))?.version, block)
    assert.equal(store.counts().wants, 0)
    assert.match(String(warnings[0]?.[1]?.cause), /endpoint of the chain had left the events out/)
    assert.deepEqual((await reconcile())[0]?.causes, [])
  })

  it('finds one of which the block cannot be read any more, by what the chain lists', async () => {
    await miss(capsule(5))
    chain.prunedUpTo = 1_000
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, reconciled?.causes], [1, ['shares-lost']])
    await witness.until(async () => (await store.place(capsule(5))) !== undefined)
    await witness.until(() => store.counts().wants === 0)
  })

  it('finds the others when the endpoint does not answer for one, and says that it is not all', async () => {
    await miss(secret(4))
    await miss(secret(5))
    const nft = chain.nft.bind(chain)
    chain.nft = async (nftId) => {
      if (nftId === 4) throw new SlotmeshError('chain/request-refused', 'The chain refused it.')
      return nft(nftId)
    }
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, reconciled?.isComplete], [1, false])
    await witness.until(async () => (await store.place(secret(5))) !== undefined)
  })

  it('gives up when the endpoint answers for none of many', async () => {
    for (let nftId = 10; nftId < 20; nftId += 1) await miss(secret(nftId))
    let looked = 0
    chain.nft = async () => {
      looked += 1
      throw new SlotmeshError('chain/request-refused', 'The chain refused it.')
    }
    assert.deepEqual(await reconcile(), [])
    assert.equal(looked, 9)
  })

  it('finds a version that was missed, where the block of the newer one names it', async () => {
    const first = (await store.place(capsule(1)))?.version
    const block = await miss(capsule(1))
    assert.equal((await store.place(capsule(1)))?.version, first)
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, reconciled?.outdated, reconciled?.causes], [0, 1, ['events-missed']])
    await witness.until(async () => (await store.place(capsule(1)))?.version === block)
    assert.deepEqual((await store.share(capsule(1)))?.payload, payloadOf(capsule(1), block))
    assert.equal(store.counts().wants, 0)
  })

  it('takes a version that a block names for the newest only once those have said so who have come that far', async () => {
    const older = await sealNext(capsule(5))
    chain.finaliseUntold([synced(capsule(5), 0)])
    const newer = older + 1
    const storeB = await folders.open(await folders.make())
    await storeB.beginSetup(peerB.identity, 0, [])
    await seal(storeB, peerB, newer, [capsule(5)], newer)
    chain.finaliseUntold([synced(capsule(5), 1)])
    await engine.reached(newer, { signal })
    // The host of the first has set it back to before the newer one, and whoever asks it is told of the older.
    shares.up.set(A, { store: storeA, syncedBlock: older })
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, reconciled?.causes], [1, ['events-missed']])
    await witness.until(async () => (await store.place(capsule(5)))?.version === older)
    assert.equal(await store.newest(capsule(5)), undefined)
    assert.equal(store.lowestUnsure(), older)
    shares.up.set(B, { store: storeB, syncedBlock: newer })
    chain.finalise([], true)
    await witness.until(async () => (await store.place(capsule(5)))?.version === newer)
    await witness.until(() => store.counts().wants === 0)
    assert.ok(await store.newest(capsule(5)))
  })

  it('does not doubt what it holds since a peer says that it has something newer', async () => {
    const liar = new Inventory()
    liar.set(numberOf(capsule(1)), 2)
    peers.up.set(A, { held: liar, takenIn: 1_000 })
    chain.finalise()
    await engine.reached(chain.finalised().number, { signal })
    const before = await store.newest(capsule(1))
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.outdated, reconciled?.ofPeer.disputed], [0, 1])
    assert.deepEqual(reconciled?.causes, ['peer-disputed'])
    assert.equal(store.counts().wants, 0)
    assert.deepEqual((await store.newest(capsule(1)))?.leaf, before?.leaf)
    assert.ok(before)
    // Nor where the block cannot be read.
    chain.prunedUpTo = 1_000
    assert.deepEqual((await reconcile())[0]?.causes, ['peer-disputed'])
    assert.equal(store.counts().wants, 0)
  })

  it('opens no want of what the chain does not list, is yet to come, or is being synced anew', async () => {
    const liar = new Inventory()
    for (const share of [secret(5), secret(6), capsule(7)]) liar.set(numberOf(share), 1)
    liar.set(numberOf(capsule(8)), 1_000)
    chain.burned.add(5).add(6)
    chain.syncing.add(7)
    peers.up.set(A, { held: liar, takenIn: 1_000 })
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, reconciled?.ofPeer.unlisted], [0, 2])
    assert.deepEqual([store.counts().wants, asked()], [0, 1])
  })

  it('looks up no more than it has said, whatever a peer claims, and compares itself with no whole list for that', async () => {
    const liar = new Inventory()
    for (let nftId = 0; nftId < 3_000; nftId += 1) {
      liar.set(numberOf(capsule(nftId)), 1 + (nftId % 2))
      chain.burned.add(nftId)
    }
    chain.burned.delete(1)
    chain.finalise()
    await engine.reached(chain.finalised().number, { signal })
    peers.up.set(A, { held: liar, takenIn: 1_000 })
    let looked = 0
    const nft = chain.nft.bind(chain)
    chain.nft = (...of) => {
      looked += 1
      return nft(...of)
    }
    const [reconciled] = await reconcile()
    assert.equal(reconciled?.isComplete, false)
    assert.ok(looked <= 512, `${looked} look-ups`)
    assert.equal(store.counts().wants, 0)
    chain.finalise()
    await engine.reached(chain.finalised().number, { signal })
    assert.deepEqual(compared, [])
  })

  it('compares itself with the whole list where more is missing than one session brings', async () => {
    const many = Array.from({ length: 600 }, (_, at) => secret(10 + at))
    const block = chain.finalised().number + 1
    await seal(storeA, peerA, block, many, 0)
    chain.finaliseUntold(many.map((key) => synced(key, 0)))
    await engine.reached(block, { signal })
    chain.synced = [capsule(1), ...many]
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, reconciled?.isComplete], [512, false])
    chain.finalise()
    await witness.until(async () => compared.length > 0 && store.counts().wants === 0)
    assert.equal(store.counts().shares.secret, 600)
    assert.deepEqual([compared[0]?.listed, compared[0]?.missing], [601, 88])
  })

  it('does not count what is wanted already, nor what was stored while the two were compared', async () => {
    shares.up.delete(A)
    const block = await sealNext(secret(5))
    chain.finalise([synced(secret(5), 0)])
    await engine.reached(block, { signal })
    assert.equal(store.counts().wants, 1)
    assert.deepEqual((await reconcile())[0]?.missing, 0)
    peers.onCompared = async () => {
      shares.up.set(A, { store: storeA, syncedBlock: 1_000 })
      chain.finalise([], true)
      await witness.until(async () => (await store.place(secret(5))) !== undefined)
    }
    assert.deepEqual((await reconcile())[0]?.causes, [])
  })

  it('erases what the peer does not hold where the chain has it no more, and nothing else', async () => {
    await sync(secret(5))
    await sync(secret(6))
    await storeA.eraseShares(1_000, [secret(5), secret(6)])
    chain.burned.add(5)
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.erased, reconciled?.ofPeer.missing], [1, 1])
    assert.deepEqual(reconciled?.causes, ['removals-missed', 'peer-incomplete'])
    assert.equal(await store.place(secret(5)), undefined)
    assert.ok(await store.place(secret(6)))
  })

  it('says of a peer that it is behind, where that is why it lacks something', async () => {
    const block = await sync(secret(5))
    await storeA.eraseShares(1_000, [secret(5)])
    peers.up.set(A, { held: storeA.held, takenIn: block - 1 })
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.ofPeer.missing, reconciled?.causes], [0, ['peer-behind']])
  })

  it('withdraws a want of what a block has removed that was taken in meanwhile', async () => {
    await miss(secret(5))
    const nft = chain.nft.bind(chain)
    chain.nft = async (nftId) => {
      const facts = await nft(nftId)
      if (!chain.burned.has(nftId)) {
        chain.burned.add(nftId)
        await engine.reached(chain.finalise([{ type: 'removed', ...secret(nftId) }]), { signal })
      }
      return facts
    }
    shares.up.delete(A)
    await reconcile()
    assert.equal(store.counts().wants, 0)
  })

  it('fetches what it has come to want also where the endpoint then does not say whether it is still there', async () => {
    await miss(secret(5))
    const nft = chain.nft.bind(chain)
    let looks = 0
    chain.nft = async (nftId) => {
      looks += 1
      if (looks > 1) throw new SlotmeshError('chain/request-refused', 'The chain refused it.')
      // So that there is a block of which it is to be asked again.
      await engine.reached(chain.finalise(), { signal })
      return nft(nftId)
    }
    await reconcile()
    assert.equal(looks, 2)
    await witness.until(async () => (await store.place(secret(5))) !== undefined)
  })

  it('withdraws it also where that block is still being compared with', async () => {
    await miss(secret(5))
    shares.up.delete(A)
    let goOn: () => void = () => undefined
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve))
    chain.syncedShares = async function* () {
      await mayGoOn
      yield [capsule(1)]
    }
    const comparing = engine.compare({ signal })
    const nft = chain.nft.bind(chain)
    chain.nft = async (nftId) => {
      const facts = await nft(nftId)
      if (!chain.burned.has(nftId)) {
        chain.burned.add(nftId)
        const block = chain.finalise([{ type: 'removed', ...secret(nftId) }])
        while ((await store.cursor()) !== block) await nextTurn()
      }
      return facts
    }
    await reconcile()
    assert.equal(store.counts().wants, 0)
    goOn()
    await comparing
  })

  it('takes nobody at his word while the endpoint of the chain is behind what is taken in', async () => {
    const liar = new Inventory()
    liar.set(numberOf(secret(5)), 1)
    peers.up.set(A, { held: liar, takenIn: 1_000 })
    await engine.reached(chain.finalise([{ type: 'removed', ...secret(5) }]), { signal })
    chain.finalised = () => blockAt(1)
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, store.counts().wants], [0, 0])
  })

  it('waits for such an endpoint to withdraw a want of what a block has removed', async () => {
    await miss(secret(5))
    shares.up.delete(A)
    const [nft, finalised] = [chain.nft.bind(chain), chain.finalised.bind(chain)]
    chain.nft = async (nftId) => {
      const facts = await nft(nftId)
      if (chain.burned.has(nftId)) return facts
      chain.burned.add(nftId)
      const block = chain.finalise([{ type: 'removed', ...secret(nftId) }])
      await engine.reached(block, { signal })
      chain.finalised = () => blockAt(block - 1)
      return facts
    }
    const follow = chain.follow.bind(chain)
    chain.follow = (after, options) => {
      chain.finalised = finalised
      return follow(after, options)
    }
    await reconcile()
    assert.equal(store.counts().wants, 0)
  })

  it('leaves to a block that is still to come what that may bring, and says that it is not all', async () => {
    let goOn: () => void = () => undefined
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve))
    let begin: () => void = () => undefined
    const begun = new Promise<void>((resolve) => (begin = resolve))
    chain.syncedShares = async function* () {
      begin()
      await mayGoOn
      yield [capsule(1)]
    }
    const comparing = engine.compare({ signal })
    chain.finalise()
    await begun
    const liar = new Inventory()
    for (const share of [capsule(1), capsule(5)]) liar.set(numberOf(share), 1)
    peers.up.set(A, { held: liar, takenIn: 1_000 })
    shares.up.delete(A)
    const block = chain.finalise([synced(capsule(5), 0)])
    const [reconciled] = await reconcile()
    assert.deepEqual([reconciled?.missing, reconciled?.isComplete, store.counts().wants], [0, false, 0])
    goOn()
    await comparing
    await engine.reached(block, { signal })
    // It knows the version that is due, and has no other doubted for it.
    const [want] = await store.wantsOf([capsule(5)])
    assert.deepEqual([want?.minimumVersion, want?.asOf, want?.origin], [block, 0, 0])
  })

  it('wants no longer what the chain lists no more, where it is gone and no block has told of that', async () => {
    shares.up.delete(A)
    for (const key of [secret(5), secret(6), capsule(7)]) chain.finalise([synced(key, 0)])
    await engine.reached(chain.finalised().number, { signal })
    assert.equal(store.counts().wants, 3)
    chain.burned.add(5)
    chain.syncing.add(7)
    chain.synced = [capsule(1), secret(6)]
    const comparing = engine.compare({ signal })
    const block = chain.finalise()
    assert.deepEqual(await comparing, { block, listed: 2, missing: 0, erased: 0 })
    assert.deepEqual(await store.wantsOf([secret(5)]), [])
    assert.equal(store.counts().wants, 2)
  })

  it('completes a setup that wants what there is no more, when it is compared with the chain', async () => {
    await stop()
    await store.eraseAll()
    chain.synced = [secret(77), capsule(1)]
    start()
    await witness.until(async () => (await store.place(capsule(1))) !== undefined)
    assert.equal(engine.state, 'setup')
    chain.burned.add(77)
    chain.synced = [capsule(1)]
    const comparing = engine.compare({ signal })
    chain.finalise()
    await comparing
    await witness.until(() => engine.state === 'running')
    assert.equal(store.counts().wants, 0)
  })

  it('is with another peer each time, and passes over one that is down', async () => {
    peers.up.set(B, { held: storeA.held, takenIn: 1_000 })
    for (let turn = 0; turn < 4; turn += 1) await reconcile()
    assert.equal(new Set(peers.asked.slice(0, 2)).size, 2)
    assert.deepEqual(peers.asked.slice(2), peers.asked.slice(0, 2))
    peers.up.delete(B)
    peers.asked.splice(0)
    for (let turn = 0; turn < 2; turn += 1) assert.equal((await reconcile())[0]?.peer, A)
    assert.equal((await reconcile(8)).length, 1)
  })

  it('passes over those that are shut out, who use up none of its tries', async () => {
    const shut = Array.from({ length: 4 }, (_, at) => ({ account: stranger(at), cluster: 10 + at }))
    chain.assign([...all, ...shut])
    peers.isShut = (peer) => shut.some(({ account }) => account === peer)
    const asked = peers.asked.length
    assert.equal((await reconcile())[0]?.peer, A)
    assert.ok(peers.asked.slice(asked).every((peer) => peer === A || peer === B))
  })

  it('is one at a time, of so many that may wait, each no longer than it wants to', async () => {
    let goOn: () => void = () => undefined
    peers.onCompared = () => new Promise((resolve) => (goOn = resolve))
    const first = reconcile()
    while (!peers.asked.includes(A)) await nextTurn()
    const { length } = peers.asked
    const leaving = new AbortController()
    const waiting = Array.from({ length: 7 }, () => engine.reconcile({ most: 1, signal: leaving.signal }))
    await assert.rejects(reconcile(), { code: 'sync/busy' })
    leaving.abort(new Error('enough'))
    for (const each of waiting) await assert.rejects(each, /enough/)
    assert.equal(peers.asked.length, length)
    peers.onCompared = async () => undefined
    goOn()
    assert.equal((await first).length, 1)
    assert.equal((await reconcile()).length, 1)
  })

  it('comes at intervals, and not before the setup is complete', async () => {
    await stop()
    start(20)
    const before = witness.reconciliations.length
    await witness.until(() => witness.reconciliations.length >= before + 2)
    await stop()
    chain.synced = [secret(77), capsule(1)]
    shares.up.delete(A)
    await store.eraseAll()
    start()
    await witness.until(() => witness.states.at(-1) === 'setup')
    assert.deepEqual(await reconcile(), [])
  })

  it('compares with the chain on demand, as of the next final block', async () => {
    await miss(secret(5))
    chain.synced = [secret(5), capsule(1)]
    const comparing = engine.compare({ signal })
    const block = chain.finalise()
    assert.deepEqual(await comparing, { block, listed: 2, missing: 1, erased: 0 })
    await witness.until(async () => (await store.place(secret(5))) !== undefined)
    const aborted = AbortSignal.abort(new Error('enough'))
    await assert.rejects(engine.compare({ signal: aborted }), { name: 'AbortError' })
  })

  it('ends the wait for a comparison with the chain when the seat is lost', async () => {
    const waits = [engine.compare({ signal }), engine.compare({ signal })]
    chain.assign(all.filter(({ account }) => account !== own.identity.account))
    chain.finalise([], true)
    for (const wait of await Promise.allSettled(waits)) {
      assert.equal(wait.status === 'rejected' && wait.reason.code, 'sync/seat-lost')
    }
    await witness.until(() => engine.state === 'unregistered')
    await assert.rejects(engine.compare({ signal }), { code: 'sync/seat-lost' })
  })
})
