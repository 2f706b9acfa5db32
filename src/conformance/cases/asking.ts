import { toHex, verifySignature } from '../../crypto/index.js'
import { messageOf } from '../../domain/index.js'
import { SUITES } from '../../share/raw/index.js'
import { type CaseBench, demandRefusal, type Lured } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { Deviation, demand } from '../deviation.js'
import { describeAnswer, type RawProvider } from '../raw.js'

const SENT_BY_REQUESTER = 'and sends `Hello` with `HelloBody`'
const PROOF = '`Request` with a quote of its own and `RequestBody`'

type Hello = Awaited<ReturnType<RawProvider['hello']>>

/** What an honest provider sees of a requester. */
function asking(
  init: Omit<Parameters<typeof conformanceCase>[0], 'role' | 'sent' | 'run'> & {
    readonly sent?: string
    readonly look: (bench: CaseBench) => Promise<void>
  },
): ConformanceCase {
  const { look, sent = 'a share that the peer wants', ...rest } = init
  return conformanceCase({ ...rest, role: 'requester', sent, run: look })
}

/** Waits for a Hello, and leaves the rest to an honest member. */
async function helloOf(bench: CaseBench): Promise<Hello> {
  return bench.lure(async (side) => {
    const hello = await side.hello()
    await side.challenge()
    await bench.bench.members.serveHonestly(side, (await side.request()).body)
    return hello
  })
}

/** Grants, gives everything that is asked for, and ends. */
async function giveAll(bench: CaseBench, { side, asked }: Lured): Promise<void> {
  await bench.bench.members.serveHonestly(side, asked.request.body)
}

export const askingCases: readonly ConformanceCase[] = [
  asking({
    id: 'ASK-01',
    clause: '4.3',
    quote: SENT_BY_REQUESTER,
    expected: 'Hello of its account on this chain, with a nonce of 32 bytes and a signature that stands',
    look: async (bench) => {
      const { body, signature, digest, bytes } = await helloOf(bench)
      const { account } = bench.stage.cast.peer.signer
      demand(toHex(body.genesisHash) === bench.stage.view.genesisHash, 'its Hello is for another chain')
      demand(toHex(body.account) === account, 'its Hello is of another account')
      demand(body.nonce.length === 32, `its nonce has ${body.nonce.length} bytes`)
      demand(verifySignature(account, digest, signature), 'its Hello is not signed by its account')
      demand(bytes.length <= 16_384, `its Hello has ${bytes.length} bytes`)
    },
  }),
  asking({
    id: 'ASK-02',
    clause: '4.3',
    quote: 'The requester makes a fresh ephemeral key pair for each suite that it offers',
    sent: 'two shares that the peer wants, one after the other',
    expected: 'Hellos with different nonces and ephemeral keys',
    look: async (bench) => {
      const [one, other] = [await helloOf(bench), await helloOf(bench)]
      demand(Buffer.compare(one.body.nonce, other.body.nonce) !== 0, 'both have one nonce')
      const keys = [one, other].flatMap(({ body }) => body.suites.map(({ publicKey }) => toHex(publicKey)))
      demand(new Set(keys).size === keys.length, 'both have one ephemeral key')
    },
  }),
  asking({
    id: 'ASK-03',
    clause: '4.3',
    quote: '1 to 8 `SuiteOffer`s: number (section 5.1), each once, and ephemeral public key',
    expected: 'Hello with 1 to 8 suites, each once, with keys of the right sizes',
    look: async (bench) => {
      const { body } = await helloOf(bench)
      const numbers = body.suites.map(({ suite }) => suite)
      demand(numbers.length >= 1 && numbers.length <= 8, `it offers ${numbers.length} suites`)
      demand(new Set(numbers).size === numbers.length, 'it offers a suite twice')
      const sizes = new Map([
        [1, 32],
        [2, 1216],
      ])
      for (const { suite, publicKey } of body.suites) {
        const size = sizes.get(suite)
        demand(
          size === undefined || publicKey.length === size,
          `its key of suite ${suite} has ${publicKey.length} bytes`,
        )
      }
    },
  }),
  asking({
    id: 'ASK-04',
    clause: '4.3',
    quote: 'It SHOULD offer every suite that it allows, strongest first (section 5.1)',
    level: 'should',
    expected: 'Hello that offers suite 2 before suite 1',
    look: async (bench) => {
      const { body } = await helloOf(bench)
      const known = body.suites.flatMap(({ suite }) => SUITES.find((each) => each === suite) ?? [])
      demand(known.join() === SUITES.join(), `it offers suites ${known.join(', ')} in this order`)
    },
  }),
  asking({
    id: 'ASK-05',
    clause: '4.2',
    quote: '`block_number` and `block_hash` (32 bytes) of a block that it sees as final',
    expected: 'Hello with a token that stands',
    look: async (bench) => {
      const { body } = await helloOf(bench)
      const { token } = body
      if (token === undefined) throw new Deviation('its Hello has no token')
      const { now, view } = bench.stage
      demand(token.validity <= 20, `its token is of validity ${token.validity}`)
      demand(token.blockNumber <= now, `its token is anchored in block ${token.blockNumber}, and ${now} is the newest`)
      demand(token.blockNumber + token.validity >= now, `its token ended before block ${now}`)
      const hash = await view.blockHash(token.blockNumber, bench)
      demand(toHex(token.blockHash) === hash, `the hash in its token is not that of block ${token.blockNumber}`)
    },
  }),
  asking({
    id: 'ASK-06',
    clause: '6.1',
    quote: 'There is one encoding for each set of wants',
    expected: 'Request whose want lists are canonical, and ask for that share in its version or an earlier one',
    look: (bench) =>
      bench.lureFor(1, async (lured) => {
        const [share] = lured.shares
        const { key, version } = share ?? { key: undefined, version: 0 }
        const range = lured.asked.ranges.find(
          ({ kind, first, length }) =>
            kind === key?.kind && key.nftId >= first && (length === 0 || key.nftId < first + length),
        )
        demand(range !== undefined, 'it does not ask for the share')
        demand(range.minimumVersion <= version, `it asks for version ${range.minimumVersion}, of ${version}`)
        const { length } = lured.asked.request.bytes
        demand(length <= 2_129_920, `its Request has ${length} bytes`)
        await giveAll(bench, lured)
      }),
  }),
  asking({
    id: 'ASK-07',
    clause: '4.5',
    quote: PROOF,
    expected: "Request with a genuine quote whose report data is the account's signature over this exchange",
    look: (bench) =>
      bench.lureFor(1, async (lured) => {
        const { quote, digest } = lured.asked.request
        const { account } = bench.stage.cast.peer.signer
        const { reportData } = await bench.bench.verifier.verify(quote).catch((thrown: unknown) => {
          throw new Deviation(`its quote does not stand: ${messageOf(thrown)}`)
        })
        demand(verifySignature(account, digest, reportData), 'the report data is no signature over this exchange')
        await giveAll(bench, lured)
      }),
  }),
  asking({
    id: 'ASK-08',
    clause: '5.2',
    quote: 'The requester runs `SetupBaseS(pkR = ChallengeBody.public_key, info = T4)`',
    expected: 'an exchange in suite 1, after which it gives the share to others',
    look: async (bench) => {
      const key = await bench.lureFor(1, async (lured) => {
        await giveAll(bench, lured)
        return lured.shares[0]?.key
      })
      if (key !== undefined) await bench.untilHeld(key)
    },
  }),
  asking({
    id: 'ASK-09',
    clause: '5.1',
    quote: 'All sides MUST implement suite 1 and SHOULD implement suite 2',
    level: 'should',
    sent: 'Challenge in suite 2',
    expected: 'an exchange in suite 2',
    look: (bench) =>
      bench.lure(async (side) => {
        const { body } = await side.hello()
        demand(
          body.suites.some(({ suite }) => suite === 2),
          'it does not offer suite 2',
        )
        await side.challenge({ suites: [2] })
        const request = await side.request()
        const { length } = request.body.encapsulatedKey
        demand(length === 1120, `its encapsulated key has ${length} bytes`)
        await bench.bench.members.serveHonestly(side, request.body)
      }),
  }),
  asking({
    id: 'ASK-10',
    clause: '4.7',
    quote: 'Nothing follows the End. The requester then closes its side',
    sent: 'an exchange to its End',
    expected: 'the end of its side, and nothing before it',
    look: (bench) =>
      bench.lureFor(1, async ({ side, shares, asked }) => {
        await side.grant()
        await bench.giveAndEnd(side, asked, shares)
        const answer = await side.answer()
        demand(answer.type === 'closed', `${describeAnswer(answer)} came after the End`)
      }),
  }),
  asking({
    id: 'ASK-11',
    clause: '2',
    quote: 'The connection MUST authenticate both PeerIds (as Noise or TLS of libp2p do)',
    expected: 'Hello on a connection whose PeerId is the one that it signs for',
    look: async (bench) => {
      const { signature, digest } = await helloOf(bench)
      demand(
        verifySignature(bench.stage.cast.peer.signer.account, digest, signature),
        'its Hello is not signed for the PeerIds of this connection',
      )
    },
  }),
  asking({
    id: 'ASK-12',
    clause: '7',
    quote: 'a program MUST NOT depend on it',
    sent: 'Refusal BUSY with a sentence of 256 bytes that says the contrary, and a pause of 100 ms',
    expected: 'the end of its side; it comes again',
    look: async (bench) => {
      await bench.lure(async (side) => {
        await side.hello()
        await side.refuse('BUSY', 'All is well, go on. '.padEnd(256, '!'), 100)
        const answer = await side.answer()
        demand(answer.type === 'closed' || answer.type === 'reset', `${describeAnswer(answer)} came`)
      })
      await helloOf(bench)
    },
  }),
  ...(
    [
      ['ASK-13', 'of a code that no version knows', 999],
      ['ASK-14', 'of code 0', 0],
    ] as const
  ).map(([id, what, code]) =>
    asking({
      id,
      clause: '7',
      quote: 'A code that is unknown, or 0, is MALFORMED',
      sent: `a Refusal ${what} in place of a Challenge`,
      expected: 'Refusal MALFORMED',
      look: (bench) =>
        bench.lure(async (side) => {
          await side.hello()
          // Field 15, a message with field 1 alone.
          await side.send(code === 0 ? Uint8Array.of(0x7a, 2, 8, 0) : Uint8Array.of(0x7a, 3, 8, 0xe7, 7))
          demandRefusal(await side.answer(), 'MALFORMED')
        }),
    }),
  ),
]
