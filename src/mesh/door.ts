import type { Connection, Libp2p, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { getNetConfig, isNetworkAddress } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { networkOf, SlotmeshError } from '../domain/index.js'
import { LIMITS } from './limits.js'

interface DoorInit {
  /** Connections at most. */
  readonly maximum: number
  /** Whether this PeerId is that of a registered enclave, by a record that it has signed. */
  readonly isKnown: (peer: string) => boolean
  /** Whether there is to be no connection with this PeerId just now. */
  readonly isShut: (peer: string) => boolean
}

/** Where somebody comes from, and since when there is a connection. */
interface Guest {
  readonly address: string
  readonly since: number
  close(): void
}

/**
 * Keeps room for those who come. Connections cost nothing but an address, so a host that only refused the next one at its
 * limit would be full of whoever came first. Here the next one is let in, and the oldest goes of those from the address that
 * has the most: of those that have not proved a PeerId yet, and of those whose PeerId no enclave record names. An honest peer
 * shows its record within a second or two, and comes again when it was too late.
 */
export class Door {
  readonly #init: DoorInit
  readonly #pending = new Map<MultiaddrConnection, Guest>()

  constructor(init: DoorInit) {
    this.#init = init
  }

  /** What libp2p asks of each connection, on its way in or out. */
  get gater() {
    const isShut = (peer: PeerId) => this.#init.isShut(peer.toString())
    return {
      denyDialPeer: isShut,
      denyOutboundEncryptedConnection: isShut,
      denyInboundConnection: (connection: MultiaddrConnection) => this.#knocks(connection),
      denyInboundEncryptedConnection: isShut,
      denyInboundUpgradedConnection: (_: PeerId, connection: MultiaddrConnection) => {
        this.#pending.delete(connection)
        return false
      },
    }
  }

  /** Watches the connections that are open, for as long as the host lives. */
  watch(libp2p: Pick<Libp2p, 'addEventListener' | 'getConnections'>): void {
    libp2p.addEventListener('connection:open', ({ detail: { remotePeer } }) => {
      const [surplus] = oldestFirst(libp2p.getConnections(remotePeer)).slice(0, -LIMITS.connections.perPeer)
      surplus?.abort(tooMany())
      const all = libp2p.getConnections()
      const strangers = all.filter((each) => each.direction === 'inbound' && !this.#isKnown(each))
      if (strangers.length > this.#mostOf(all.length - strangers.length)) oneOfMany(strangers.map(guestOf))?.close()
    })
  }

  /** @returns whether it is turned away: where the most come from one address, those that came first are let finish. */
  #knocks(connection: MultiaddrConnection): boolean {
    const address = addressOf(connection.remoteAddr)
    const { pending, spare } = LIMITS.connections
    if (this.#pending.size >= pending - spare) {
      const leaving = oneOfMany([...this.#pending.values()])
      if (leaving?.address === address) return true
      leaving?.close()
    }
    const leave = () => this.#pending.delete(connection)
    connection.addEventListener('close', leave, { once: true })
    const close = () => {
      leave()
      connection.abort(tooMany())
    }
    this.#pending.set(connection, { address, since: performance.now(), close })
    return false
  }

  /** @returns how many strangers may stay beside so many others. */
  #mostOf(others: number): number {
    const { maximum } = this.#init
    const { spare } = LIMITS.connections
    const left = maximum - others
    // One is kept free, or libp2p lets nobody in; and who has just come is let stay, or nobody would ever be known.
    return Math.max(1, Math.min(maximum / 3, Math.max(spare, left - spare), left - 1))
  }

  #isKnown({ remotePeer }: Connection): boolean {
    return this.#init.isKnown(remotePeer.toString())
  }
}

/** The oldest of those from the address that has the most. */
function oneOfMany(guests: readonly Guest[]): Guest | undefined {
  const byAddress = new Map<string, Guest[]>()
  for (const guest of guests) byAddress.set(guest.address, [...(byAddress.get(guest.address) ?? []), guest])
  const [most = []] = [...byAddress.values()].sort((one, other) => other.length - one.length || age(one) - age(other))
  return most.reduce<Guest | undefined>(
    (oldest, guest) => (oldest && oldest.since <= guest.since ? oldest : guest),
    undefined,
  )
}

function age(guests: readonly Guest[]): number {
  return Math.min(...guests.map(({ since }) => since))
}

function guestOf(connection: Connection): Guest {
  return {
    address: addressOf(connection.remoteAddr),
    since: connection.timeline.open,
    close: () => connection.abort(tooMany()),
  }
}

function oldestFirst(connections: readonly Connection[]): Connection[] {
  return [...connections].sort((one, other) => one.timeline.open - other.timeline.open)
}

function addressOf(remote: Multiaddr): string {
  return isNetworkAddress(remote) ? networkOf(getNetConfig(remote).host) : remote.toString()
}

function tooMany(): SlotmeshError {
  return new SlotmeshError('mesh/too-many', 'There are too many connections: this one makes room for others.')
}
