import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fromHex } from '../../src/crypto/index.js'
import { SlotmeshError } from '../../src/domain/index.js'
import { parseRecord } from '../../src/mesh/record.js'
import { Frames } from '../../src/share/frames.js'
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
import { account, capsule, connectedStreams, GENESIS, OriginLog, secret, soon, want } from '../unit/share/fixture.js'
import { mutations } from './mutations.js'

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
      ChallengeBody.encode({ account: bytes32, nonce: bytes32, token, suite: 1, publicKey: bytes32, syncedBlock: 9 }),
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
        assert.ok(thrown instanceof RefusalError && thrown.refusal === 'MALFORMED', String(thrown))
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

/** Enclave records come from anybody, over the DHT. */
const records: FuzzTarget = {
  name: 'decoding enclave records',
  property: () =>
    fc.asyncProperty(fc.uint8Array({ maxLength: 2100 }), async (bytes) => {
      try {
        parseRecord(bytes, GENESIS)
        assert.fail('it was taken')
      } catch (thrown) {
        assert.ok(thrown instanceof SlotmeshError, String(thrown))
      }
    }),
}

export const decoderTargets: readonly FuzzTarget[] = [...DECODERS.map(decoderTarget), frames, records]
