import assert from 'node:assert/strict'
import { AttestationError } from '../../../src/attestation/index.js'
import { type LogFields, Registry, silentLogger, systemClock } from '../../../src/domain/index.js'
import { attestationRefusal } from '../../../src/share/refusals.js'
import { Fetcher } from '../../../src/sync/fetcher.js'

describe('the fetcher', () => {
  it('logs which check a peer’s quote did not pass, and why', async () => {
    const stopping = new AbortController()
    const logged: LogFields[] = []
    const message = 'The quote is not genuine: its PCK certificate is revoked.'
    const refusal = attestationRefusal(new AttestationError('attestation/quote-invalid', 'pck-revoked', message))
    const seat = (cluster: number, byte: string) => {
      const account = `0x${byte.repeat(32)}` as const
      return { account, operator: account, cluster, slot: 1, apiUri: '' }
    }
    const [own, peer] = [seat(1, 'bb'), seat(2, 'aa')]
    const registry = new Registry([own, peer].map((each) => ({ id: each.cluster, type: 'public', seats: [each] })))
    const want = { key: { kind: 'secret', nftId: 1 }, minimumVersion: 1, asOf: 1, origin: 2, since: 0 } as const
    const fetcher = new Fetcher({
      account: own.account,
      store: {
        async *wantPages() {
          yield [want]
        },
        wantsOf: async () => [want],
        settleUnsure: () => assert.fail('nothing is held'),
        putRun: () => assert.fail('nothing was sent'),
      },
      chain: { registry: () => registry, finalised: () => ({ number: 1, hash: '0x' }) },
      takenIn: () => 1,
      peers: {
        async request() {
          throw refusal
        },
      },
      listener: { shareStored: () => undefined, exchangeDone: () => undefined, exchangeFailed: () => stopping.abort() },
      logger: { ...silentLogger, info: (_, fields = {}) => logged.push(fields) },
      clock: { ...systemClock, now: () => 0 },
      onSettled: async () => undefined,
    })
    await fetcher.run(stopping.signal)
    assert.deepEqual(
      logged.map(({ peer: of, code, check, cause }) => ({ of, code, check, cause })),
      [{ of: peer.account, code: refusal.code, check: 'pck-revoked', cause: message }],
    )
  })
})
