import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { accountSigner } from '../../../src/crypto/index.js'
import { type AccountId, CLUSTER_SIZE, type Clock, systemClock } from '../../../src/domain/index.js'
import { MESH_LIMITS, type MeshHostInit } from '../../../src/mesh/index.js'
import { eventually, type Member, TestMesh } from './mesh.js'

const PROTOCOL = '/ternoa/enclave-directory/1'

function resolve({ host }: Member, account: AccountId) {
  return host.resolve(account, { signal: AbortSignal.timeout(15_000) })
}

/** Whether it got to know without a look into the DHT, and without a connection. */
function assertTold(member: Member, other: Member): void {
  assert.equal(member.host.dhtTraffic().lookups, 0)
  assert.ok(!member.host.connected().has(other.host.peerId.toString()))
}

describe('the directory of a mesh that is not small', function () {
  this.timeout(60_000)
  let mesh: TestMesh

  beforeEach(() => {
    mesh = new TestMesh()
    for (let seats = 0; seats <= MESH_LIMITS.dht.smallMesh; seats += CLUSTER_SIZE) fillCluster()
  })
  afterEach(() => mesh.stop())

  /** Enrols those of whom nothing is ever heard, until the next seat is the first of a cluster. */
  function fillCluster(): void {
    let slot: number
    do {
      slot = mesh.chain.enrol(accountSigner(randomBytes(32)).account).slot
    } while (slot < CLUSTER_SIZE - 1)
  }

  /** A host in slot 0 of the next cluster, that has entered. */
  async function join(init: Partial<MeshHostInit> = {}): Promise<Member> {
    const member = await mesh.join(init)
    fillCluster()
    const isIn = async () => assert.ok(member.host.libp2p.services.dht.routingTable.size > 0)
    if (init.bootstrap !== undefined) await eventually(isIn)
    return member
  }

  it('tells two of each other that are connected with a third', async () => {
    const middle = await join()
    const bootstrap = middle.host.multiaddrs()
    const [one, other] = [await join({ bootstrap }), await join({ bootstrap })]
    const found = await resolve(one, other.signer.account)
    assert.ok(found.peerId.equals(other.host.peerId))
    assertTold(one, other)
    await resolve(other, one.signer.account)
    assertTold(other, one)
  })

  it('tells those of each other that have entered in different places', async () => {
    const first = await join()
    const entries = [first]
    for (let count = 0; count < 3; count += 1) entries.push(await join({ bootstrap: first.host.multiaddrs() }))
    const entered: Member[] = []
    for (const { host } of entries) entered.push(await join({ bootstrap: host.multiaddrs() }))
    for (const one of entered) {
      for (const other of entered) {
        if (one === other) continue
        const found = await eventually(() => resolve(one, other.signer.account))
        assert.ok(found.peerId.equals(other.host.peerId))
        assertTold(one, other)
      }
    }
  })

  it('tells where an enclave has moved', async () => {
    let ahead = 0
    const clock: Clock = { ...systemClock, now: () => Date.now() + ahead }
    const middle = await join()
    const bootstrap = middle.host.multiaddrs()
    const before = await join({ bootstrap })
    const observer = await join({ bootstrap, clock })
    const old = await resolve(observer, before.signer.account)
    await before.host.stop()

    const after = await mesh.create({ bootstrap, signer: before.signer })
    await after.host.start()
    await after.host.publish(mesh.chain.seatOf(after.signer.account))
    await eventually(async () => assert.ok(middle.host.knows(after.signer.account, after.host.peerId.toString())))
    // It is believed for so long.
    ahead = MESH_LIMITS.resolve.freshMs
    const found = await resolve(observer, after.signer.account)
    assert.ok(found.peerId.equals(after.host.peerId))
    assert.notDeepEqual(found.multiaddrs, old.multiaddrs)
    assertTold(observer, after)
  })

  it('is not needed: where nobody speaks it, enclaves are found in the DHT once they have settled', async () => {
    // What takes a minute takes a second.
    const after: Clock['after'] = (ms, callback) =>
      systemClock.after(ms < MESH_LIMITS.dht.settleMs ? ms : ms / 60, callback)
    const clock: Clock = { ...systemClock, after }
    const mute = async (init: Partial<MeshHostInit> = {}) => {
      const member = await mesh.create({ clock, ...init })
      const seat = mesh.chain.enrol(member.signer.account)
      await member.host.start()
      await member.host.libp2p.unhandle(PROTOCOL)
      await member.host.publish(seat)
      fillCluster()
      return member
    }
    const first = await mute()
    const bootstrap = first.host.multiaddrs()
    const [one, other] = [await mute({ bootstrap }), await mute({ bootstrap })]
    const found = await eventually(() => resolve(one, other.signer.account))
    assert.ok(found.peerId.equals(other.host.peerId))
    await eventually(async () => assert.ok(other.host.dhtTraffic().lookups > 0))
  })
})
