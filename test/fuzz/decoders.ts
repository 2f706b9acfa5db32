import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { fromHex, toHex } from '../../src/crypto/index.js'
import { SlotmeshError } from '../../src/domain/index.js'
import { Frames } from '../../src/framing/index.js'
import { ROOT } from '../../src/inventory/index.js'
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from '../../src/mesh/directory-messages.js'
import { parseRecord, signRecord, verifyRecord } from '../../src/mesh/record.js'
import { EnclaveRecord } from '../../src/mesh/wire/record.js'
import { leafHash, type RangeProof, verifyHead, verifyRange } from '../../src/provenance/index.js'
import { RefusingError } from '../../src/reconcile/index.js'
import { partFrom, partOf } from '../../src/reconcile/parts.js'
import { decodePrefixes, encodePrefixes } from '../../src/reconcile/prefixes.js'
import { ListReader } from '../../src/share/id-lists.js'
import { decode, decodeSealed, fromWireKey, fromWireRun, helloFrom, toWireRun } from '../../src/share/messages.js'
import { RefusalError } from '../../src/share/refusals.js'
import { checkWants, Outstanding } from '../../src/share/wants.js'
import {
  ChallengeBody,
  HelloBody,
  ProviderMessage,
  RequestBody,
  RequesterMessage,
  SealedContent,
  ShareKind,
} from '../../src/share/wire/share.js'
import { inventoryOf, secrets } from '../unit/reconcile/fixture.js'
import { account, capsule, connectedStreams, GENESIS, OriginLog, secret, soon, want } from '../unit/share/fixture.js'
import { mutations, seldomMutations } from './mutations.js'

/** A property, run so many times from a seed. */
export interface FuzzTarget {
  readonly name: string
  readonly property: () => fc.IRawProperty<unknown>
}

/** What a decoder does with bytes: it takes them, or says that they are malformed. */
interface Decoder {
  readonly name: string
  /** Good ones, to be mutated. */
  readonly samples: () => Promise<readonly Uint8Array[]>
  readonly take: (bytes: Uint8Array) => unknown
}

const bytes32 = new Uint8Array(32).fill(3)
const token = { blockNumber: 100, blockHash: bytes32, validity: 20 }
const head = () => new OriginLog(account('serving'), { cluster: 2 })

async function sealedContents(): Promise<Uint8Array[]> {
  const log = head()
  for (let nftId = 0; nftId < 6; nftId += 1) log.append(nftId % 2 ? secret(nftId) : capsule(nftId), 50)
  const runs = [toWireRun(await log.run(0, 2)), toWireRun(await log.run(3, 3))]
  const nothing = { runs: [], secretsNotHeld: new Uint8Array(), capsulesNotHeld: new Uint8Array() }
  return [
    SealedContent.encode({
      batch: { ...nothing, runs, secretsNotHeld: Uint8Array.of(7, 2), cursor: { kind: ShareKind.SECRET, nftId: 9 } },
    }),
    SealedContent.encode({ end: { shareCount: 5, notHeldCount: 2, unfinished: true } }),
  ]
}

const { lists } = new Outstanding(
  [5, 6, 9, 300, 0xffff_fffe].map((id) => want(secret(id), id % 7)),
  [{ from: capsule(12), minimumVersion: 45 }],
)

const DECODERS: readonly Decoder[] = [
  {
    name: 'questions to the directory',
    samples: async () => [
      encodeQuestion({
        wants: new Map([
          [toHex(bytes32), 0],
          [GENESIS, 1_790_000_000_000],
        ]),
        known: 9,
      }),
    ],
    take: decodeQuestion,
  },
  {
    name: 'answers of the directory',
    samples: async () => [encodeAnswer({ records: [bytes32, new Uint8Array(300)], known: 9 })],
    take: decodeAnswer,
  },
  {
    name: 'requester messages',
    samples: async () => [
      RequesterMessage.encode({ hello: { body: bytes32, signature: bytes32 } }),
      RequesterMessage.encode({ request: { body: bytes32, quote: bytes32 } }),
    ],
    take: (bytes) => decode(RequesterMessage, bytes),
  },
  {
    name: 'provider messages',
    samples: async () => [
      ProviderMessage.encode({ challenge: { body: bytes32, quote: bytes32 } }),
      ProviderMessage.encode({ sealed: { ciphertext: bytes32 } }),
    ],
    take: (bytes) => decode(ProviderMessage, bytes),
  },
  {
    name: 'Hello',
    samples: async () => [
      HelloBody.encode({
        genesisHash: fromHex(GENESIS),
        account: bytes32,
        nonce: bytes32,
        token,
        suites: [
          { suite: 2, publicKey: new Uint8Array(1216) },
          { suite: 1, publicKey: bytes32 },
        ],
      }),
    ],
    take: helloFrom,
  },
  {
    name: 'Challenge',
    samples: async () => [
      ChallengeBody.encode({
        account: bytes32,
        nonce: bytes32,
        token,
        suite: 1,
        publicKey: bytes32,
        syncedBlock: 9,
        takenInBlock: 12,
      }),
    ],
    take: (bytes) => decode(ChallengeBody, bytes),
  },
  {
    name: 'Request',
    samples: async () => [RequestBody.encode({ encapsulatedKey: bytes32, ...lists })],
    take: (bytes) => checkWants(decode(RequestBody, bytes)),
  },
  {
    name: 'want lists',
    samples: async () => [lists.secrets, lists.capsules],
    take: (bytes) => readAll(bytes, 'wants'),
  },
  {
    name: 'id lists',
    samples: async () => [Uint8Array.of(5, 3, 1, 1, 9, 200, 1)],
    take: (bytes) => readAll(bytes, 'ids'),
  },
  {
    name: 'prefixes of a question',
    samples: async () => [
      encodePrefixes([ROOT, { level: 8, first: 16 }, { level: 1, first: 2 ** 32 }, { level: 3, first: 2 ** 32 }]),
    ],
    take: decodePrefixes,
  },
  {
    name: 'items of an answer',
    samples: async () => [partOf(inventoryOf(secrets(70_000, 30, 999)), ROOT).items],
    take: (bytes) => {
      const part = partFrom({ present: 0, fingerprints: new Uint8Array(), items: bytes }, ROOT)
      assert.ok('items' in part && part.items.length <= 32)
    },
  },
  {
    name: 'sealed contents',
    samples: sealedContents,
    take: (bytes) => {
      const { batch } = decodeSealed(bytes)
      for (const run of batch?.runs ?? []) fromWireRun(run)
      if (batch?.cursor !== undefined) fromWireKey(batch.cursor)
      readAll(batch?.secretsNotHeld ?? new Uint8Array(), 'ids')
    },
  },
]

function readAll(bytes: Uint8Array, kind: 'wants' | 'ids'): void {
  const reader = new ListReader(bytes, kind)
  let ranges = 0
  while (reader.next()) ranges += 1
  assert.ok(ranges <= bytes.length / 2, 'a range takes two bytes or more')
}

function isMalformed(thrown: unknown): boolean {
  if (thrown instanceof RefusalError || thrown instanceof RefusingError) return thrown.refusal === 'MALFORMED'
  return thrown instanceof SlotmeshError && thrown.code === 'mesh/directory-malformed'
}

function decoderTarget({ name, samples, take }: Decoder): FuzzTarget {
  let made: ReturnType<typeof samples> | undefined
  const property = () =>
    fc.asyncProperty(fc.nat(9), mutations, async (which, mutate) => {
      made ??= samples()
      const good = await made
      const bytes = mutate(good[which % good.length] ?? new Uint8Array())
      try {
        take(bytes)
      } catch (thrown) {
        assert.ok(isMalformed(thrown), String(thrown))
      }
    })
  return { name: `decoding ${name}`, property }
}

/** Frames, in pieces of any size, with lengths of any kind, and ends anywhere. */
const frames: FuzzTarget = {
  name: 'framing',
  property: () =>
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 90 }),
          fc.nat(64).map((length) => Uint8Array.of(length, ...new Uint8Array(length))),
        ),
        { maxLength: 8 },
      ),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
      async (parts, sizes) => {
        const [near, far] = await connectedStreams()
        const reading = new Frames(far)
        const wire = Uint8Array.from(parts.flatMap((part) => [...part]))
        for (let at = 0, piece = 0; at < wire.length; piece += 1) {
          const size = sizes[piece % sizes.length] ?? 1
          near.send(wire.slice(at, at + size))
          at += size
        }
        await near.close({ signal: soon() })
        let taken = 0
        try {
          for (let message = await reading.read(64, { signal: soon() }); message !== undefined; ) {
            assert.ok(message.length <= 64)
            taken += message.length
            message = await reading.read(64, { signal: soon() })
          }
        } catch (thrown) {
          assert.ok(
            thrown instanceof SlotmeshError && ['share/cut', 'share/oversized'].includes(thrown.code),
            String(thrown),
          )
        }
        assert.ok(taken <= wire.length)
        reading.abort(new Error('done'))
      },
    ),
}

let made: Promise<Uint8Array> | undefined

async function goodRecord(): Promise<Uint8Array> {
  const privateKey = await generateKeyPair('Ed25519')
  const content = {
    genesisHash: GENESIS,
    multiaddrs: [multiaddr('/ip4/10.0.0.7/tcp/4001')],
    cluster: 2,
    slot: 3,
    sequence: 1_000,
    expiresAt: 2_000,
  }
  return (await signRecord(content, account('serving'), privateKey)).bytes
}

/** Enclave records come from anybody, over the DHT. */
const records: FuzzTarget = {
  name: 'decoding enclave records',
  property: () =>
    fc.asyncProperty(seldomMutations, seldomMutations, async (inBody, around) => {
      made ??= goodRecord()
      const good = EnclaveRecord.decode(await made)
      const bytes = around(EnclaveRecord.encode({ ...good, body: inBody(good.body) }))
      try {
        const record = parseRecord(bytes, GENESIS)
        assert.deepEqual(record.bytes, bytes)
        await verifyRecord(record)
        assert.deepEqual(bytes, await made, 'only the one that was signed verifies')
      } catch (thrown) {
        assert.ok(thrown instanceof SlotmeshError && thrown.code.startsWith('mesh/'), String(thrown))
      }
    }),
}

/** Proofs with hashes swapped, left out, repeated or altered, at any place and of any size that a peer may claim. */
const rangeProofs: FuzzTarget = {
  name: 'range proofs',
  property: () => {
    const log = new OriginLog(account('serving'), { cluster: 2 })
    for (let nftId = 0; nftId < 23; nftId += 1) log.append(secret(nftId), 50)
    const number = fc.oneof(fc.nat(24), fc.constantFrom(0xffff_ffff, 0xffff_fffe, 2 ** 31))
    const hashes = fc.array(fc.oneof(fc.nat(9), fc.constant(-1)), { maxLength: 40 })
    return fc.asyncProperty(
      fc.record({ from: fc.nat(22), count: fc.integer({ min: 1, max: 5 }), first: number, size: number }),
      fc.option(fc.tuple(hashes, hashes), { nil: undefined }),
      async ({ from, count, first, size }, sides) => {
        const run = await log.run(from, Math.min(count, 23 - from))
        const leaves = run.shares.map(({ leaf }) => leafHash(leaf))
        const pool = [...run.proof.left, ...run.proof.right, ...leaves]
        const pick = (side: readonly number[]) => side.map((at) => pool[at % pool.length] ?? new Uint8Array(31))
        const proof = sides === undefined ? run.proof : { left: pick(sides[0]), right: pick(sides[1]) }
        const head = { ...run.head, size }
        const isRight = first === run.first && size === 23 && (sides === undefined || isSame(proof, run.proof))
        try {
          verifyRange(head, first, leaves, proof)
          // Trees of 23 and 24 leaves can have one shape; it is the signature that says which it is.
          if (size !== 23) {
            assert.throws(() => verifyHead(GENESIS, head), { code: 'provenance/head-signature' })
            return
          }
        } catch (thrown) {
          assert.ok(thrown instanceof SlotmeshError && thrown.code === 'provenance/range', String(thrown))
          assert.ok(!isRight, 'it refused what is right')
          return
        }
        assert.ok(isRight, 'it took what is not in the log')
      },
    )
  },
}

function isSame(one: RangeProof, other: RangeProof): boolean {
  const text = ({ left, right }: RangeProof) => [left, right].map((side) => side.map(toHex).join()).join('/')
  return text(one) === text(other)
}

export const decoderTargets: readonly FuzzTarget[] = [...DECODERS.map(decoderTarget), frames, records, rangeProofs]
