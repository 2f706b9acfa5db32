import assert from 'node:assert/strict'
import { accountSigner } from '../../../src/crypto/index.js'
import type { ShareKey } from '../../../src/domain/index.js'
import { Inventory } from '../../../src/inventory/index.js'
import { ReconcileService, RefusedSessionError } from '../../../src/reconcile/index.js'
import { capsule, type Enclave, enclave, logger, payloadOf, SLOT, secret, signal } from '../store/fixture.js'
import { type Machine, WiredSlot } from './wired-slot.js'

describe('reconciliation between enclaves, over TCP', () => {
  const [ONE, TWO] = [enclave(41, 1), enclave(42, 2)]
  let slot: WiredSlot
  let one: Machine
  let two: Machine

  const reached = ({ running: { engine } }: Machine, block: number) =>
    engine.reached(block, { signal: AbortSignal.timeout(10_000) })
  const version = async (machine: Machine, key: ShareKey) => (await machine.running.store.place(key))?.version
  const holds = (machine: Machine, key: ShareKey, block: number) =>
    machine.running.witness.until(async () => (await version(machine, key)) === block)

  /** The first enclave's cluster has a share synced; `isTold` says whether the other one hears of it. */
  async function sync(key: ShareKey, { isTold }: { isTold: boolean }): Promise<number> {
    const block = slot.chain.finalised().number + 1
    await one.running.store.putPending({ key, payload: payloadOf(key, block), confirmed: true })
    if (!isTold) two.chain.untold.add(block)
    slot.chain.finalise([{ type: 'synced', ...key, cluster: ONE.identity.seat.cluster }])
    await Promise.all([one, two].map((machine) => reached(machine, block)))
    if (isTold) await holds(two, key, block)
    return block
  }

  beforeEach(async () => {
    slot = new WiredSlot()
    one = await slot.machine(41, ONE)
    two = await slot.machine(42, TWO)
    slot.seat(ONE, TWO)
    slot.chain.finalise([], true)
    for (const machine of [one, two]) {
      const { witness } = await machine.start()
      await witness.until(() => witness.states.includes('running'))
    }
  })

  afterEach(() => slot.clear())

  const reconcile = async ({ running: { engine } }: Machine) => (await engine.reconcile({ signal }))[0]

  it('finds and fetches what was lost while the node ran, and says so', async () => {
    for (let nftId = 0; nftId < 40; nftId += 1) await sync(secret(nftId), { isTold: true })
    assert.deepEqual((await reconcile(two))?.causes, [])
    await two.running.store.eraseShares(1_000, [secret(17)])
    const found = await reconcile(two)
    assert.deepEqual([found?.missing, found?.outdated, found?.causes], [1, 0, ['events-missed']])
    assert.ok((found?.bytes ?? 0) > 0)
    await holds(two, secret(17), 19)
    assert.deepEqual((await reconcile(two))?.causes, [])
    assert.equal(two.running.witness.reconciliations.length, 3)
    // Of the one that asks nothing was told, and nothing is changed at the other.
    assert.deepEqual(one.running.witness.reconciliations, [])
  }).timeout(40_000)

  it('finds and fetches a version that was set back, and what was never heard of', async () => {
    const first = await sync(capsule(1), { isTold: true })
    const second = await sync(capsule(1), { isTold: false })
    const other = await sync(secret(2), { isTold: false })
    assert.equal(await version(two, capsule(1)), first)
    const found = await reconcile(two)
    assert.deepEqual([found?.missing, found?.outdated, found?.causes], [1, 1, ['events-missed']])
    await holds(two, capsule(1), second)
    await holds(two, secret(2), other)
    assert.equal(two.running.store.counts().wants, 0)
  })

  it('tells the one that has all that the other lacks something, and changes nothing', async () => {
    await sync(secret(1), { isTold: false })
    const found = await reconcile(one)
    assert.deepEqual([found?.missing, found?.ofPeer.missing, found?.causes], [0, 1, ['peer-incomplete']])
    assert.equal(one.running.store.counts().shares.secret, 1)
  })

  /** Somebody on a host of its own who asks the first enclave. */
  async function asked(who: Enclave, seed: number, { isOwn = true } = {}): Promise<unknown> {
    const host = await slot.host()
    const { account } = accountSigner(new Uint8Array(32).fill(seed))
    assert.equal(account, who.identity.account)
    const seats = [ONE, who].map(({ identity: { account: each, seat } }) => ({ account: each, ...seat, slot: SLOT }))
    // It makes itself believe that it may.
    const { chain } = two
    slot.chain.assign(seats)
    const registry = slot.chain.registry()
    slot.seat(ONE, TWO, ...(isOwn ? [who] : []))
    const service = new ReconcileService({
      host,
      account,
      chain: { genesisHash: chain.genesisHash, finalisedAgeMs: () => 0, registry: () => registry },
      source: { held: () => Promise.reject(new Error('Nobody asks here.')) },
      isKnown: () => true,
      isNamed: () => true,
      logger,
    })
    slot.chain.finalise([], true)
    await reached(one, slot.chain.finalised().number)
    const peer = one.running.host
    await host.dial(peer.getMultiaddrs())
    try {
      return await service
        .compare({ account: ONE.identity.account, peer: peer.peerId }, { held: new Inventory(), turn: 0, signal })
        .then(
          () => 'told',
          (thrown) => (thrown instanceof RefusedSessionError ? thrown.refusal : thrown),
        )
    } finally {
      await host.stop()
    }
  }

  it('is refused to an enclave of another slot', async () => {
    assert.equal(await asked(enclave(43, 3, 4), 43), 'WRONG_SLOT')
  })

  it('is refused to a stranger', async () => {
    assert.equal(await asked(enclave(44, 4), 44, { isOwn: false }), 'NOT_REGISTERED')
  })

  it('is refused to a slot peer’s account at a peer that its record does not name', async () => {
    assert.equal(await asked(enclave(45, 5), 45), 'UNKNOWN_PEER')
  })
})
