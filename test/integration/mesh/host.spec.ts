import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { accountSigner } from '../../../src/crypto/index.js'
import { type AccountId, Registry, systemClock } from '../../../src/domain/index.js'
import { eventually, type Member, TestMesh } from './mesh.js'

const hour = 3_600_000

function resolve(member: Member, account: AccountId) {
  return member.host.resolve(account, { signal: AbortSignal.timeout(15_000) })
}

function registryWith(account: AccountId, cluster: number, slot: number): Registry {
  return new Registry([
    { id: cluster, type: 'public', seats: [{ account, operator: account, cluster, slot, apiUri: '' }] },
  ])
}

/** A port that nobody uses now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('mesh hosts', function () {
  // On a busy machine a record is put again before everybody has it.
  this.timeout(60_000)
  let mesh: TestMesh
  beforeEach(() => {
    mesh = new TestMesh()
  })
  afterEach(() => mesh.stop())

  for (const size of [2, 5, 12]) {
    it(`that start at once, ${size} of them, all find each other`, async () => {
      const port = await freePort()
      const bootstrap = [`/ip4/127.0.0.1/tcp/${port}`]
      const members = await Promise.all(
        Array.from({ length: size }, (_, index) =>
          mesh.join(index === 0 ? { bootstrap, listen: bootstrap } : { bootstrap }),
        ),
      )
      const pairs = members.flatMap((one) => members.filter((other) => other !== one).map((other) => ({ one, other })))
      await Promise.all(
        pairs.map(async ({ one, other }) => {
          const found = await eventually(() => resolve(one, other.signer.account))
          assert.ok(found.peerId.equals(other.host.peerId))
          assert.deepEqual(
            found.multiaddrs.map((address) => `${address}/p2p/${found.peerId}`),
            other.host.multiaddrs(),
          )
        }),
      )
    })
  }

  it('enter the mesh by what others have registered on chain, knowing nothing but the chain', async () => {
    const port = await freePort()
    const address = `/ip4/127.0.0.1/tcp/${port}`
    await mesh.join({ apiUri: 'https://enclave.example' })
    await mesh.join({ apiUri: '/no/multiaddr' })
    await mesh.join({ apiUri: '/ip4/127.0.0.1/tcp/1' })
    const first = await mesh.join({ listen: [address], apiUri: address })
    const second = await mesh.join()
    const found = await eventually(() => resolve(second, first.signer.account))
    assert.ok(found.peerId.equals(first.host.peerId))
  })

  it('find each other by the chain, where the mesh has come together in two parts', async () => {
    const ours = await mesh.join()
    const ourNeighbour = await mesh.join({ bootstrap: ours.host.multiaddrs() })
    const theirs = await mesh.join()
    const theirNeighbour = await mesh.join({ bootstrap: theirs.host.multiaddrs() })
    await eventually(() => resolve(ourNeighbour, ours.signer.account))
    await eventually(() => resolve(theirNeighbour, theirs.signer.account))
    await assert.rejects(resolve(ours, theirs.signer.account), { code: 'mesh/enclave-not-found' })

    mesh.chain.register(theirNeighbour.signer.account, theirNeighbour.host.multiaddrs()[0] ?? '')
    const found = await resolve(ourNeighbour, theirNeighbour.signer.account)
    assert.ok(found.peerId.equals(theirNeighbour.host.peerId))
    // Those who have registered nothing are in one table with them by then.
    await eventually(() => resolve(ours, theirs.signer.account))
    await eventually(() => resolve(theirs, ours.signer.account))
  })

  it('find through the DHT who is not there any more', async () => {
    const first = await mesh.join()
    const gone = await mesh.join({ bootstrap: first.host.multiaddrs() })
    await eventually(() => resolve(first, gone.signer.account))
    const { port } = multiaddrOf(gone)
    // Only once the first host has stored it for others can they learn of it from there.
    await eventually(async () => {
      const seeker = await mesh.join({ bootstrap: first.host.multiaddrs() })
      await gone.host.stop()
      const found = await resolve(seeker, gone.signer.account)
      assert.equal(multiaddr(found.multiaddrs[0]).getComponents()[1]?.value, port)
    })
  })

  it('are found at their new address after a restart', async () => {
    const first = await mesh.join()
    const bootstrap = first.host.multiaddrs()
    const privateKey = randomBytes(32)
    const before = await mesh.join({ bootstrap, privateKey })
    const observer = await mesh.join({ bootstrap })
    await eventually(() => resolve(observer, before.signer.account))
    const old = multiaddrOf(before)
    await before.host.stop()

    const after = await mesh.create({ bootstrap, privateKey, signer: before.signer })
    await after.host.start()
    await after.host.publish(mesh.chain.seatOf(after.signer.account))
    assert.ok(after.host.peerId.equals(before.host.peerId))
    assert.notEqual(multiaddrOf(after).port, old.port)
    await eventually(async () => {
      const { multiaddrs } = await resolve(observer, after.signer.account)
      assert.deepEqual(
        multiaddrs.map((address) => `${address}/p2p/${after.host.peerId}`),
        after.host.multiaddrs(),
      )
    })
  })

  it('wait for a bootstrap node that is not up yet', async () => {
    const listen = [`/ip4/127.0.0.1/tcp/${await freePort()}`]
    const early = await mesh.join({ bootstrap: listen })
    const late = await mesh.join({ bootstrap: listen, listen })
    await eventually(() => resolve(late, early.signer.account))
    await eventually(() => resolve(early, late.signer.account))
  })

  it('are found though they published before others saw the block that seats them', async () => {
    const ahead = accountSigner(randomBytes(32))
    const observer = await mesh.join()
    const member = await mesh.create({
      signer: ahead,
      bootstrap: observer.host.multiaddrs(),
      registry: () => registryWith(ahead.account, 0, 1),
    })
    await member.host.start()
    await member.host.publish({ cluster: 0, slot: 1 })
    await once(observer.host.libp2p, 'peer:identify')
    await assert.rejects(resolve(observer, ahead.account), { code: 'mesh/enclave-not-found' })
    assert.equal(mesh.chain.enrol(ahead.account).slot, 1)
    await eventually(() => resolve(observer, ahead.account))
  })

  it('drop the records of those who are not registered, sit elsewhere, or live in the past', async () => {
    const honest = await mesh.join()
    const bootstrap = honest.host.multiaddrs()
    const stranger = accountSigner(randomBytes(32))
    const climber = accountSigner(randomBytes(32))
    const ghost = accountSigner(randomBytes(32))
    mesh.chain.enrol(climber.account)
    const { cluster, slot } = mesh.chain.enrol(ghost.account)
    const rogues = await Promise.all([
      mesh.create({ bootstrap, signer: stranger, registry: () => registryWith(stranger.account, 0, 4) }),
      mesh.create({ bootstrap, signer: climber, registry: () => registryWith(climber.account, 0, 4) }),
      mesh.create({ bootstrap, signer: ghost, clock: { ...systemClock, now: () => Date.now() - 3 * hour } }),
    ])
    for (const { host } of rogues) await host.start()
    for (const { host } of rogues.slice(0, 2)) await host.publish({ cluster: 0, slot: 4 })
    await rogues[2]?.host.publish({ cluster, slot })
    const neighbour = await mesh.join({ bootstrap })

    // The one who comes last is known, so the others had their chance.
    await eventually(() => resolve(honest, neighbour.signer.account))
    await Promise.all(
      [honest, neighbour].flatMap((asked) =>
        rogues.map(({ signer }) => assert.rejects(resolve(asked, signer.account), { code: 'mesh/enclave-not-found' })),
      ),
    )
  })

  it('tell of a new seat', async () => {
    const observer = await mesh.join()
    const member = await mesh.join({ bootstrap: observer.host.multiaddrs() })
    const { account } = member.signer
    assert.equal((await eventually(() => resolve(observer, account))).slot, 1)
    mesh.chain.move(account, { cluster: 7, slot: 3 })
    await assert.rejects(resolve(observer, account), { code: 'mesh/enclave-not-found' })
    await member.host.publish({ cluster: 7, slot: 3 })
    assert.deepEqual(await eventually(async () => (await resolve(observer, account)).cluster), 7)
  })

  it('say in one sentence that a port is in use', async () => {
    const { host } = await mesh.join()
    const { port } = multiaddrOf({ host })
    const other = await mesh.create({ listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    await assert.rejects(other.host.start(), {
      code: 'mesh/address-in-use',
      message: `Cannot listen on /ip4/127.0.0.1/tcp/${port}: another program uses that port; stop it or configure another port.`,
    })
  })

  it('refuse a configuration that is no multiaddr, and to publish what nobody could dial', async () => {
    await assert.rejects(mesh.create({ bootstrap: ['10.0.0.7:4001'] }), { code: 'mesh/bad-address' })
    const { host } = await mesh.create()
    await assert.rejects(host.publish({ cluster: 0, slot: 0 }), { code: 'mesh/no-address' })
  })

  it('stop at once, twice, started or not, while they wait for anything', async () => {
    const { host } = await mesh.create()
    await host.stop()
    const lonely = await mesh.join({ bootstrap: [`/ip4/127.0.0.1/tcp/${await freePort()}`] })
    await lonely.host.stop()
    await lonely.host.stop()
  })

  it('end a search when the caller does', async () => {
    const { host } = await mesh.join()
    const reason = new Error('enough')
    await assert.rejects(host.resolve(`0x${'00'.repeat(32)}`, { signal: AbortSignal.abort(reason) }), reason)
    await assert.rejects(host.resolve(`0x${'00'.repeat(32)}`, { signal: AbortSignal.timeout(100) }), {
      name: 'TimeoutError',
    })
  })
})

function multiaddrOf({ host }: Pick<Member, 'host'>): { port: string | undefined } {
  const [first] = host.multiaddrs()
  return { port: multiaddr(first).getComponents()[1]?.value }
}
