import type { Stream } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import { accountSigner } from '../../../src/crypto/index.js'
import type { AccountId } from '../../../src/domain/index.js'
import { SHARE_PROTOCOL } from '../../../src/share/index.js'
import { FakeAttestation, type TestParty } from '../../unit/share/fixture.js'
import { RawProvider, RawRequester } from '../../unit/share/raw.js'
import { type Enclave, enclave } from '../store/fixture.js'
import { HostedChain, type WiredSlot } from '../sync/wired-slot.js'

/** An enclave with a seat, genuine quotes and a host of its own, which speaks both sides of the protocol by hand. */
export class HostilePeer {
  readonly who: Enclave
  readonly host: Libp2p
  readonly party: Omit<TestParty, 'chain'> & { readonly chain: HostedChain }

  private constructor(slot: WiredSlot, who: Enclave, seed: number, host: Libp2p) {
    this.who = who
    this.host = host
    this.party = {
      signer: accountSigner(new Uint8Array(32).fill(seed)),
      chain: new HostedChain(slot.chain),
      attestation: new FakeAttestation(),
      peer: host.peerId.toMultihash().bytes,
    }
  }

  static async join(slot: WiredSlot, seed: number, cluster: number, inSlot?: number): Promise<HostilePeer> {
    const peer = new HostilePeer(slot, enclave(seed, cluster, inSlot), seed, await slot.host())
    slot.hosts.set(peer.account, peer.host)
    return peer
  }

  get account(): AccountId {
    return this.who.identity.account
  }

  get peerId(): string {
    return this.host.peerId.toString()
  }

  /** A stream to another host; on a connection of its own, or one that there is. */
  async open(to: Libp2p, { isNew = false } = {}): Promise<Stream> {
    const connection = await this.host.dial(to.getMultiaddrs(), { force: isNew })
    return connection.newStream(SHARE_PROTOCOL)
  }

  /** @param signer who it says that it is, when that is another. */
  async ask(to: Libp2p, signer = this.party.signer): Promise<RawRequester> {
    const peers = { requesterPeer: this.party.peer, providerPeer: to.peerId.toMultihash().bytes }
    return new RawRequester({ ...this.party, signer }, await this.open(to), peers)
  }

  /** Plays each exchange that it is asked for; what goes wrong in it is the other side's to tell. */
  async serve(play: (side: RawProvider, stream: Stream) => Promise<unknown>): Promise<void> {
    await this.host.handle(SHARE_PROTOCOL, async (stream, { remotePeer }) => {
      const peers = { requesterPeer: remotePeer.toMultihash().bytes, providerPeer: this.party.peer }
      const side = new RawProvider(this.party, stream, peers)
      try {
        await play(side, stream)
        await side.next()
      } finally {
        stream.abort(new Error('That was all.'))
      }
    })
  }
}
