import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type AccountSigner, accountSigner, toHex } from '../../../src/crypto/index.js'
import { type AccountId, CLUSTER_SIZE, type Cluster, type EnclaveSeat, Registry } from '../../../src/domain/index.js'
import { createMeshHost, type MeshHost, type MeshHostInit } from '../../../src/mesh/index.js'

const ignore = () => undefined
export const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** A registry of public clusters of five. */
export class TestChain {
  readonly genesisHash = toHex(randomBytes(32))
  readonly #seats: EnclaveSeat[] = []
  #registry = new Registry([])

  readonly registry = (): Registry => this.#registry

  /** Gives an account the next seat. */
  enrol(account: AccountId, apiUri = ''): EnclaveSeat {
    const index = this.#seats.length
    const place = { cluster: Math.floor(index / CLUSTER_SIZE), slot: index % CLUSTER_SIZE }
    this.#seats.push({ account, operator: account, apiUri, ...place })
    this.#change()
    return this.seatOf(account)
  }

  move(account: AccountId, place: Pick<EnclaveSeat, 'cluster' | 'slot'>): void {
    this.#update(account, place)
  }

  /** Registers an address of an enclave. */
  register(account: AccountId, apiUri: string): void {
    this.#update(account, { apiUri })
  }

  #update(account: AccountId, change: Partial<EnclaveSeat>): void {
    const index = this.#seats.findIndex((seat) => seat.account === account)
    this.#seats[index] = { ...this.seatOf(account), ...change }
    this.#change()
  }

  seatOf(account: AccountId): EnclaveSeat {
    const seat = this.#registry.seatOf(account)
    if (seat === undefined) throw new Error('not enrolled')
    return seat
  }

  #change(): void {
    const ids = [...new Set(this.#seats.map(({ cluster }) => cluster))]
    this.#registry = new Registry(
      ids.map((id): Cluster => ({ id, type: 'public', seats: this.#seats.filter(({ cluster }) => cluster === id) })),
    )
  }
}

export interface Member {
  readonly signer: AccountSigner
  readonly host: MeshHost
}

/** Hosts on loopback that share one chain; `stop` ends all of them. */
export class TestMesh {
  readonly chain = new TestChain()
  readonly #hosts: MeshHost[] = []

  async create(init: Partial<MeshHostInit> = {}): Promise<Member> {
    const signer = init.signer ?? accountSigner(randomBytes(32))
    const host = await createMeshHost({
      privateKey: randomBytes(32),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: [],
      allowPrivateAddresses: true,
      genesisHash: this.chain.genesisHash,
      registry: this.chain.registry,
      logger: silent,
      ...init,
      signer,
    })
    this.#hosts.push(host)
    return { signer, host }
  }

  /** A host that is enrolled (with `apiUri`, if any), started and published. */
  async join({ apiUri, ...init }: Partial<MeshHostInit> & { apiUri?: string } = {}): Promise<Member> {
    const member = await this.create(init)
    const seat = this.chain.enrol(member.signer.account, apiUri)
    await member.host.start()
    await member.host.publish(seat)
    return member
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hosts.splice(0).map((host) => host.stop()))
  }
}

/** Asks again until it is so: for what spreads through a mesh by itself. */
export async function eventually<T>(attempt: () => Promise<T>, withinMs = 45_000): Promise<T> {
  const deadline = Date.now() + withinMs
  for (;;) {
    try {
      return await attempt()
    } catch (thrown) {
      if (Date.now() > deadline) throw thrown
      await pause(20)
    }
  }
}
