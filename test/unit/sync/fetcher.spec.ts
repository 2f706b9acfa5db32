import assert from 'node:assert/strict'
import { AttestationError } from '../../../src/attestation/index.js'
import { type LogFields, type Registry, silentLogger, systemClock } from '../../../src/domain/index.js'
import { attestationRefusal } from '../../../src/share/refusals.js'
import { Fetcher } from '../../../src/sync/fetcher.js'

describe('the fetcher', () => {
  it('logs which check a peer’s quote did not pass, and why', async () => {
    const stopping = new AbortController()
    const logged: LogFields[] = []
    const message = 'The quote is not genuine: its PCK certificate is revoked.'
    const refusal = attestationRefusal(new AttestationError('attestation/quote-invalid', 'pck-revoked', message))
    const peer = { account: `0x${'aa'.repeat(32)}`, cluster: 2, slot: 1 } as const
    const want = { key: { kind: 'secret', nftId: 1 }, minimumVersion: 1, asOf: 1, origin: 2, since: 0 } as const
    const fetcher = new Fetcher({
      account: `0x${'bb'.repeat(32)}`,
      store: {
        async *wants() {
          yield want
        },
        putRun: () => assert.fail('nothing was sent'),
      },
      registry: () => ({ slotPeersOf: () => [peer] }) as unknown as Registry,
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
