import { setTimeout } from 'node:timers/promises'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { type AccountId, messageOf, SlotmeshError } from '../domain/index.js'
import type { MeshHost } from '../mesh/index.js'
import { RefusalError, RefusedError, type ShareService } from '../share/index.js'
import type { PeerProof, SlotPeer } from './types.js'

/** No chain has so many NFTs: a peer answers that it does not hold it, and no share is moved. */
const NO_NFT = 0xffff_ffff

/** Whoever is connected hands over its record soon; ms between two looks, and how many there are. */
const [LOOK_EVERY_MS, LOOKS] = [200, 25]

interface Parts {
  readonly mesh: Pick<MeshHost, 'resolve'> & { readonly libp2p: Pick<Libp2p, 'dial'> }
  readonly share: Pick<ShareService, 'request'>
  readonly peers: () => readonly SlotPeer[]
}

/**
 * Has a slot peer prove itself in an exchange of its own, in which no share is moved: nobody else is shown a quote.
 *
 * @param who an enclave account, or a multiaddr.
 * @throws SlotmeshError `node/unknown-peer`, `node/no-quote`; as the mesh and libp2p do when it cannot be reached.
 */
export async function proofOf(
  { mesh, share, peers }: Parts,
  who: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<PeerProof> {
  const provider = isAccount(who)
    ? { account: who, peer: (await mesh.resolve(who, { signal })).peerId }
    : await dialled(mesh.libp2p, who, peers, signal)
  const found: { quote?: Uint8Array } = {}
  let failure: PeerProof['failure']
  try {
    await share.request(provider, {
      wants: [{ key: { kind: 'secret', nftId: NO_NFT }, minimumVersion: 0, origin: undefined }],
      onRun: async () => undefined,
      onQuote: (quote) => {
        found.quote = quote
      },
      signal,
    })
  } catch (thrown) {
    signal.throwIfAborted()
    if (found.quote === undefined) throw noQuote(provider.account, thrown)
    failure = { code: codeOf(thrown), reason: messageOf(thrown) }
  }
  if (found.quote === undefined) throw noQuote(provider.account, undefined)
  return { account: provider.account, peerId: provider.peer.toString(), quote: found.quote, failure }
}

async function dialled(
  host: Pick<Libp2p, 'dial'>,
  address: string,
  peers: () => readonly SlotPeer[],
  signal: AbortSignal,
): Promise<{ readonly account: AccountId; readonly peer: PeerId }> {
  const { remotePeer } = await host.dial(multiaddr(address), { signal })
  const peerId = remotePeer.toString()
  for (let look = 0; look < LOOKS; look += 1) {
    const seat = peers().find((each) => each.peerId === peerId)
    if (seat !== undefined) return { account: seat.account, peer: peerIdFromString(peerId) }
    await setTimeout(LOOK_EVERY_MS, undefined, { signal })
  }
  throw new SlotmeshError(
    'node/unknown-peer',
    `The peer ${peerId} answers, but is known as no enclave of this node's slot in another cluster: only those show each other a quote.`,
  )
}

function isAccount(text: string): text is AccountId {
  return /^0x[0-9a-f]{64}$/.test(text)
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof RefusedError || thrown instanceof RefusalError) return thrown.refusal
  return thrown instanceof SlotmeshError ? thrown.code : 'failed'
}

function noQuote(account: AccountId, cause: unknown): SlotmeshError {
  const why = cause === undefined ? 'it has sent none' : `${codeOf(cause)}: ${messageOf(cause)}`
  return new SlotmeshError(
    'node/no-quote',
    `The enclave ${account} has shown no quote (${why}): look at the logs of both, and at slotmesh status.`,
    { cause },
  )
}
