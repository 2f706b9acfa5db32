import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { equalBytes, fromHex, toHex } from '../../crypto/index.js'
import type { AccountId } from '../../domain/index.js'
import {
  DirectoryAnswer,
  DirectoryRequest,
  EnclaveRecordBody,
  recordKey,
  SignedEnclaveRecord,
} from '../../mesh/raw/index.js'
import type { CaseBench } from '../bench.js'
import type { ConformanceCase } from '../case.js'
import { demand, NotJudged } from '../deviation.js'
import { demandEnded } from '../ended.js'
import { pause } from '../pause.js'
import { dhtOf, nextSeat, record, signed } from './records.js'
import { unsuitable } from './values.js'

const DIRECTORY = '/ternoa/enclave-directory/1'
const [ANSWER_BYTES, WANTS] = [256 * 1_024, 1_024]

const ANSWERED = 'The answering side sends a `DirectoryAnswer` and closes its side'
const REFUSED = 'The answering side MUST reset the stream of a request that breaks these rules'
const TOO_LONG =
  'A reader MUST refuse a request above 48 KiB, an answer above 256 KiB, and a length prefix of more than three bytes, before it allocates or waits for more'

/** A stream to the peer, of another member each time: how often one may ask is limited. */
function opened(bench: CaseBench): Promise<Stream> {
  const { mesh } = bench.bench.members.next()
  return mesh.libp2p.dialProtocol(bench.bench.members.peer.id, DIRECTORY, { signal: bench.signal })
}

function wantOf(account: AccountId, sequence = 0): DirectoryRequest['wants'][number] {
  return { account: fromHex(account), sequence }
}

/** Asks, and takes the answer apart. */
async function answered(bench: CaseBench, ...wants: DirectoryRequest['wants']): Promise<DirectoryAnswer> {
  const stream = await opened(bench)
  const frames = lpStream(stream, { maxDataLength: ANSWER_BYTES })
  const options = { signal: bench.signal }
  await frames.write(DirectoryRequest.encode({ wants, known: 0 }), options)
  const bytes = (await frames.read(options)).subarray()
  await demandEnded(stream, 5_000, bench)
  const answer = DirectoryAnswer.decode(bytes)
  demand(equalBytes(DirectoryAnswer.encode(answer), bytes), 'its answer is not canonical')
  demand(answer.records.length <= wants.length, 'it gives more records than were asked for')
  return answer
}

function bodyOf(bytes: Uint8Array): EnclaveRecordBody {
  return EnclaveRecordBody.decode(SignedEnclaveRecord.decode(bytes).body)
}

function refused(id: string, sent: string, request: (bench: CaseBench) => Uint8Array): ConformanceCase {
  return record({
    id,
    clause: '13',
    quote: REFUSED,
    sent: `a request ${sent}`,
    expected: 'a reset of the stream, and no answer',
    run: async (bench) => {
      const stream = await opened(bench)
      const frames = lpStream(stream, { maxDataLength: ANSWER_BYTES })
      await frames.write(request(bench), { signal: bench.signal })
      const answer = await frames.read({ signal: bench.signal }).catch(() => undefined)
      bench.signal.throwIfAborted()
      demand(answer === undefined, 'it answers')
      demand(stream.status === 'reset', 'it does not reset the stream')
    },
  })
}

function tooLong(id: string, sent: string, prefix: Uint8Array): ConformanceCase {
  return record({
    id,
    clause: '13',
    quote: TOO_LONG,
    sent: `a request of which there is ${sent}, and none of the bytes`,
    expected: 'the end of the stream within 5 s',
    run: async (bench) => {
      const stream = await opened(bench)
      stream.send(prefix)
      await demandEnded(stream, 5_000, bench)
    },
  })
}

const peerOf = ({ stage }: CaseBench): AccountId => stage.cast.peer.signer.account

/** What a peer tells others of whom it knows. */
export const directoryCases: readonly ConformanceCase[] = [
  record({
    id: 'DIRECTORY-01',
    clause: '13',
    quote: ANSWERED,
    sent: 'a request for its own account, and for one of which it knows nothing',
    expected: 'its own record and nothing else, and the end of its side',
    run: async (bench) => {
      const { records } = await answered(bench, wantOf(toHex(unsuitable(32))), wantOf(peerOf(bench)))
      demand(records.length === 1, `it gives ${records.length} records`)
      const [own = new Uint8Array(0)] = records
      demand(toHex(bodyOf(own).account) === peerOf(bench), 'the record is of another account')
    },
  }),
  record({
    id: 'DIRECTORY-02',
    clause: '13',
    quote: 'and of a higher sequence, in the order of the wants, as many as fit',
    sent: 'a request for its own account with the sequence of its record',
    expected: 'an answer without records',
    run: async (bench) => {
      const { records } = await answered(bench, wantOf(peerOf(bench)))
      const [own] = records
      if (own === undefined) throw new NotJudged('it does not give its own record')
      const again = await answered(bench, wantOf(peerOf(bench), bodyOf(own).sequence))
      demand(again.records.length === 0, 'it gives a record that is known')
    },
  }),
  record({
    id: 'DIRECTORY-03',
    clause: '13',
    quote: 'of each want the record that it knows, if that is valid now (section 4, rules 6 and 7)',
    sent: 'PUT_VALUE of a record that expires within two seconds, and a request for it before and after that',
    expected: 'that the first answer has it, and the second has not',
    run: async (bench) => {
      const seat = nextSeat(bench)
      const { account } = seat.signer
      const expiresAt = Date.now() + 2_000
      const bytes = await signed(bench, seat, { body: () => ({ expiresAt }) })
      await dhtOf(bench).put(recordKey(account), bytes)
      const before = await answered(bench, wantOf(account))
      if (Date.now() >= expiresAt) throw new NotJudged('its answer took so long that the record has expired')
      demand(
        before.records.some((each) => equalBytes(each, bytes)),
        'it does not give that record',
      )
      await pause(expiresAt + 200 - Date.now(), bench.signal)
      const after = await answered(bench, wantOf(account))
      demand(!after.records.some((each) => equalBytes(each, bytes)), 'it gives a record that has expired')
    },
  }),
  refused('DIRECTORY-04', 'for nothing', () => DirectoryRequest.encode({ wants: [], known: 0 })),
  refused('DIRECTORY-05', 'for 1025 accounts', () =>
    DirectoryRequest.encode({
      wants: Array.from({ length: WANTS + 1 }, () => ({ account: unsuitable(32), sequence: 0 })),
      known: 0,
    }),
  ),
  refused('DIRECTORY-06', 'for an account of 31 bytes', () =>
    DirectoryRequest.encode({ wants: [{ account: unsuitable(31), sequence: 0 }], known: 0 }),
  ),
  refused('DIRECTORY-07', 'for its own account twice', (bench) =>
    DirectoryRequest.encode({ wants: [wantOf(peerOf(bench)), wantOf(peerOf(bench), 1)], known: 0 }),
  ),
  refused('DIRECTORY-08', 'with a field that nobody knows behind its own', (bench) => {
    const request = DirectoryRequest.encode({ wants: [wantOf(peerOf(bench))], known: 0 })
    return new Uint8Array([...request, 0x70, 1])
  }),
  tooLong('DIRECTORY-09', 'the length 49,153', Uint8Array.of(0x81, 0x80, 0x03)),
  tooLong('DIRECTORY-10', 'a length of four bytes', Uint8Array.of(0x80, 0x80, 0x80, 0x01)),
  record({
    id: 'DIRECTORY-11',
    clause: '13',
    quote: 'Either side MUST give up within 10 seconds',
    slow: true,
    sent: 'nothing on a stream of the directory',
    expected: 'the end of the stream within 11 s',
    run: async (bench) => demandEnded(await opened(bench), 11_000, bench),
  }),
]
