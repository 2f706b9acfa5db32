import { toHex, verifySignature } from '../../crypto/index.js'
import { messageOf, shareKeyText } from '../../domain/index.js'
import { SUITES } from '../../share/raw/index.js'
import { demandRefusal } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { Deviation, demand } from '../deviation.js'

const BODY = 'sends `Challenge` with a quote of its own (section 4.1) and `ChallengeBody`'
const CHOICE =
  'The provider MUST choose the strongest suite (section 5.1) of those that the requester offers and it allows itself'

/** What an honest requester sees in a Challenge. */
export const challengeCases: readonly ConformanceCase[] = [
  conformanceCase({
    id: 'CHAL-01',
    clause: '4.4',
    quote: BODY,
    role: 'provider',
    sent: 'Hello',
    expected: 'Challenge of the account that was asked, with a nonce of 32 bytes',
    run: async (bench) => {
      const { body } = await bench.challenged()
      demand(toHex(body.account) === bench.stage.cast.peer.signer.account, 'its Challenge names another account')
      demand(body.nonce.length === 32, `its nonce has ${body.nonce.length} bytes`)
    },
  }),
  conformanceCase({
    id: 'CHAL-02',
    clause: '4.4',
    quote: 'makes a fresh ephemeral key pair of that suite',
    role: 'provider',
    sent: 'two Hellos',
    expected: 'Challenges with different nonces, ephemeral keys and quotes',
    run: async (bench) => {
      const [one, other] = [await bench.challenged(), await bench.challenged()]
      const differ = (first: Uint8Array, second: Uint8Array) => Buffer.compare(first, second) !== 0
      demand(differ(one.body.nonce, other.body.nonce), 'both have one nonce')
      demand(differ(one.body.publicKey, other.body.publicKey), 'both have one ephemeral key')
      demand(differ(one.quote, other.quote), 'both have one quote')
    },
  }),
  conformanceCase({
    id: 'CHAL-03',
    clause: '4.2',
    quote:
      '`block_number` and `block_hash` (32 bytes) of a block that it sees as final (its _anchor_), and `validity`, 0 to 20 blocks',
    role: 'provider',
    sent: 'Hello',
    expected: 'Challenge with a token that stands',
    run: async (bench) => {
      const { body } = await bench.challenged()
      const { token } = body
      if (token === undefined) throw new Deviation('its Challenge has no token')
      const { now, view } = bench.stage
      demand(token.validity <= 20, `its token is of validity ${token.validity}`)
      demand(token.blockNumber <= now, `its token is anchored in block ${token.blockNumber}, and ${now} is the newest`)
      demand(token.blockNumber + token.validity >= now, `its token ended before block ${now}`)
      const hash = await view.blockHash(token.blockNumber, bench)
      demand(toHex(token.blockHash) === hash, `the hash in its token is not that of block ${token.blockNumber}`)
    },
  }),
  conformanceCase({
    id: 'CHAL-04',
    clause: '4.2',
    quote: 'A side SHOULD anchor its token in the latest such block and set `validity` to 20',
    role: 'provider',
    level: 'should',
    sent: 'Hello, after a new block that it has had time to see',
    expected: 'Challenge with a token of validity 20, anchored in the newest block',
    run: (bench) =>
      bench.stage.still(async () => {
        await bench.settle()
        const { body } = await bench.challenged()
        demand(body.token?.validity === 20, `its token is of validity ${body.token?.validity}`)
        const { now } = bench.stage
        demand(body.token.blockNumber === now, `its token is anchored in ${body.token.blockNumber}, not in ${now}`)
      }),
  }),
  conformanceCase({
    id: 'CHAL-05',
    clause: '4.6',
    quote: 'A quote is a DCAP attestation of an Intel SGX or TDX enclave in its binary form',
    role: 'provider',
    sent: 'Hello',
    expected: 'Challenge with a quote that is genuine, of the allowed build',
    run: async (bench) => {
      const { quote } = await bench.challenged()
      await bench.bench.verifier.verify(quote).catch((thrown: unknown) => {
        throw new Deviation(`its quote does not stand: ${messageOf(thrown)}`)
      })
    },
  }),
  conformanceCase({
    id: 'CHAL-06',
    clause: '4.1',
    quote: 'The 64 bytes of _report data_ of a quote are such a signature, whole',
    role: 'provider',
    sent: 'Hello',
    expected: "Challenge whose quote's report data is the account's signature over this exchange",
    run: async (bench) => {
      const { quote, digest } = await bench.challenged()
      const { reportData } = await bench.bench.verifier.verify(quote)
      const { account } = bench.stage.cast.peer.signer
      demand(verifySignature(account, digest, reportData), 'the report data is no signature over this exchange')
    },
  }),
  conformanceCase({
    id: 'CHAL-07',
    clause: '6.1',
    quote: 'it MUST NOT send one for which its `synced_block` is not true',
    role: 'provider',
    needsShares: true,
    sent: 'Hello, then a Request for all that was synced at or below the synced_block of the Challenge',
    expected: 'of what it gives, none in an older version',
    run: async (bench) => {
      const { side, body } = await bench.challenged()
      demand(body.syncedBlock <= bench.stage.now, `its synced_block ${body.syncedBlock} is in the future`)
      const due = bench.bench.library.all().filter(({ version }) => version <= body.syncedBlock)
      if (due.length === 0) return
      const lists = bench.listsFor(due)
      await side.request(lists)
      const { shares } = await bench.receive(side, lists)
      for (const { key, version } of due) {
        const given = shares.get(shareKeyText(key))
        const isNewest = given === undefined || given.version >= version
        demand(isNewest, `it sent ${shareKeyText(key)} of version ${given?.version}; ${version} was synced as it says`)
      }
    },
  }),
  conformanceCase({
    id: 'CHAL-08',
    clause: '4.4',
    quote: 'Nor MUST it name a later one than its token does',
    role: 'provider',
    sent: 'Hello',
    expected: 'Challenge whose synced_block is not above its taken_in_block, nor that above the block of its token',
    run: async (bench) => {
      const { syncedBlock, takenInBlock, token } = (await bench.challenged()).body
      const anchor = token?.blockNumber ?? 0
      demand(syncedBlock <= takenInBlock, `it is sure up to block ${syncedBlock}, and has come to ${takenInBlock}`)
      demand(takenInBlock <= anchor, `it has come to block ${takenInBlock}, and its token to ${anchor}`)
    },
  }),
  conformanceCase({
    id: 'CHAL-09',
    clause: '4.4',
    quote: 'A version that was synced in one of these, and that it does not hold, keeps it from giving an older one',
    role: 'provider',
    needsShares: true,
    sent: 'Hello, and a Request for a capsule in any version, until it has come to the block in which that was synced anew',
    expected: 'from a Challenge on that names that block as taken in, no older version',
    run: async (bench) => {
      const old = await bench.bench.plant('capsule')
      await bench.untilHeld(old.key)
      const anew = await bench.bench.renew(old)
      await bench.until(async () => {
        const { side, body } = await bench.challenged()
        const lists = bench.listsFor([anew], 0)
        await side.request(lists)
        const { shares } = await bench.receive(side, lists)
        if (body.takenInBlock < anew.version) return false
        const given = shares.get(shareKeyText(anew.key))
        const isNewest = given === undefined || given.version >= anew.version
        demand(isNewest, `it sent version ${given?.version}, and says that it has come to block ${body.takenInBlock}`)
        return true
      }, 'it does not come to the block in which the capsule was synced anew')
    },
  }),
  conformanceCase({
    id: 'SUITE-01',
    clause: '5.1',
    quote: 'All sides MUST implement suite 1',
    role: 'provider',
    sent: 'Hello that offers suite 1 alone',
    expected: 'Challenge in suite 1 with a key of 32 bytes',
    run: async (bench) => {
      const { body } = await bench.challenged()
      demand(body.suite === 1, `its Challenge is in suite ${body.suite}`)
      demand(body.publicKey.length === 32, `its ephemeral key has ${body.publicKey.length} bytes`)
    },
  }),
  conformanceCase({
    id: 'SUITE-02',
    clause: '5.1',
    quote: 'All sides MUST implement suite 1 and SHOULD implement suite 2',
    role: 'provider',
    level: 'should',
    sent: 'Hello that offers suite 2 alone, and a Request',
    expected: 'Challenge in suite 2 with a key of 1216 bytes, and a whole exchange',
    run: async (bench) => {
      const side = await bench.open()
      await side.hello({ suites: [2] })
      const { body } = await side.challenge()
      demand(body.suite === 2, `its Challenge is in suite ${body.suite}`)
      demand(body.publicKey.length === 1216, `its ephemeral key has ${body.publicKey.length} bytes`)
      const lists = bench.unheldLists()
      await side.request(lists)
      await bench.receive(side, lists)
    },
  }),
  ...(
    [
      ['SUITE-03', 'strongest first', [...SUITES]],
      ['SUITE-04', 'strongest last', [...SUITES].reverse()],
    ] as const
  ).map(([id, order, suites]) =>
    conformanceCase({
      id,
      clause: '4.4',
      quote: CHOICE,
      role: 'provider',
      sent: `Hello that offers suites 1 and 2, ${order}`,
      expected: 'Challenge in suite 2, or in suite 1 by one that refuses suite 2 alone, too',
      run: async (bench) => {
        const side = await bench.open()
        await side.hello({ suites })
        const { body } = await side.challenge()
        if (body.suite === 2) return
        demand(body.suite === 1, `its Challenge is in suite ${body.suite}`)
        const alone = await bench.open()
        await alone.hello({ suites: [2] })
        demandRefusal(await alone.answer(), 'UNSUPPORTED_SUITE')
      },
    }),
  ),
  conformanceCase({
    id: 'SUITE-05',
    clause: '9',
    quote: "The suites offered are in T1, which Hello's signature covers, so none can be struck off",
    role: 'provider',
    sent: 'Hello that was signed with suites 2 and 1, from which somebody has struck suite 2',
    expected: 'Refusal BAD_SIGNATURE',
    run: async (bench) => {
      const side = await bench.open()
      const { suite, publicKey } = await side.keys(1)
      await side.hello({ suites: [2, 1], afterwards: (body) => bench.withSuites(body, [{ suite, publicKey }]) })
      demandRefusal(await side.answer(), 'BAD_SIGNATURE')
    },
  }),
  conformanceCase({
    id: 'SUITE-06',
    clause: '4.5',
    quote: "`encapsulated_key`, and the requester's ephemeral public key, are keys of the suite, else MALFORMED",
    role: 'provider',
    sent: 'Hello with a key of 1215 bytes for suite 2, alone, and a Request',
    expected: 'Refusal MALFORMED at the Request, or UNSUPPORTED_SUITE at the Hello',
    run: async (bench) => {
      const side = await bench.open()
      const { publicKey } = await side.keys(2)
      await side.hello({ suites: [2], body: { suites: [{ suite: 2, publicKey: publicKey.subarray(1) }] } })
      const first = await side.answer()
      if (first.type === 'refusal') return demandRefusal(first, 'UNSUPPORTED_SUITE', 'MALFORMED')
      demand(first.type === 'message' && first.message.challenge !== undefined, 'no Challenge came')
      side.takeChallenge(first.message)
      await side.request(bench.unheldLists())
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  }),
]
