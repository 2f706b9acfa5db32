import assert from 'node:assert/strict'
import { type ConformanceReport, chosenCases, runConformance } from '../../../src/conformance/index.js'
import { type Fault, SmallPeer } from './small-peer.js'

/** For each fault some cases that must find it; each case is given to one fault. */
const FOUND_BY: Readonly<Record<Fault, readonly string[]>> = {
  'reads messages of any size': ['FRAME-02'],
  'takes any field size': ['HELLO-04', 'HELLO-10'],
  'hashes a body encoded anew': ['HELLO-31', 'HELLO-32'],
  'resets where it should refuse': ['FRAME-04', 'HELLO-12'],
  'exchanges with any account': ['HELLO-13', 'HELLO-14', 'HELLO-15', 'HELLO-16'],
  'checks the token first': ['HELLO-21'],
  'believes any signature': ['HELLO-23', 'HELLO-24', 'HELLO-27', 'HELLO-29'],
  'ignores expiry': ['TOKEN-05', 'TOKEN-06'],
  'ignores the future': ['TOKEN-08', 'TOKEN-09'],
  'ignores the hash of the anchor': ['TOKEN-10', 'TOKEN-11'],
  'takes the weakest suite': ['SUITE-03', 'SUITE-04'],
  'repeats its nonce and key': ['CHAL-02'],
  'replays its quote': ['CHAL-06'],
  'anchors its token anywhere': ['CHAL-03'],
  'says that it is further than it is': ['CHAL-08'],
  'believes any quote': ['QUOTE-04', 'QUOTE-05', 'QUOTE-08', 'QUOTE-09', 'QUOTE-10', 'QUOTE-12'],
  'allows any build': ['QUOTE-11'],
  'ignores the binding': ['BIND-01', 'BIND-02', 'BIND-03', 'BIND-05', 'BIND-07', 'BIND-08'],
  'takes any want list': ['WANT-01', 'WANT-10', 'WANT-14'],
  'sends what it likes': ['SERVE-06', 'SERVE-07'],
  'sends the old version': ['CHAL-09', 'SERVE-12', 'SERVE-13'],
  miscounts: ['SERVE-01'],
  'leaves out': ['SERVE-03'],
  'never ends': ['SERVE-02'],
  'does not seal': ['SERVE-05'],
  'goes on when the right has lapsed': ['LAPSE-01', 'LAPSE-02'],
  'has no bounds': ['LIMIT-01', 'LIMIT-05'],
  'signs no Hello': ['ASK-01'],
  'asks in a list that is not canonical': ['ASK-06'],
  'quotes for another exchange': ['ASK-07'],
  'takes a Challenge of anyone': ['CHECK-01'],
  'takes an expired Challenge': ['CHECK-06'],
  'takes a Challenge that contradicts itself': ['CHECK-15', 'CHECK-16'],
  'takes a Challenge without its binding': ['CBIND-01', 'CBIND-03', 'CBIND-04'],
  'takes a Challenge of any build': ['CQUOTE-11'],
  'takes what is not sealed': ['SEAL-01', 'SEAL-06'],
  'takes any batch': ['BATCH-02'],
  'takes any provenance': ['PROV-01', 'PROV-14', 'PROV-16'],
  'takes any head': ['PROV-09', 'PROV-10', 'PROV-11'],
  'takes forked logs': ['PROV-38'],
  'takes any End': ['END-01', 'END-02', 'END-03', 'END-04'],
  'has a slow clock': ['RECORD-16', 'RECORD-26'],
}

const FAULTS = new Map<string, Fault>(
  (Object.keys(FOUND_BY) as Fault[]).flatMap((fault) => FOUND_BY[fault].map((id) => [id, fault] as const)),
)
const CASES = chosenCases({ only: [...FAULTS.keys()] })

describe('the conformance suite', function () {
  this.timeout(300_000)

  /** Each case is run against a peer that has its fault, or none. */
  async function judge(faultFor: (id: string) => Fault | undefined, timeoutMs: number): Promise<ConformanceReport> {
    let peer: SmallPeer | undefined
    const turn = (at: number) => {
      if (peer !== undefined) peer.fault = faultFor(CASES[at]?.id ?? '')
    }
    let done = 0
    return runConformance({
      only: CASES.map(({ id }) => id),
      timeoutMs,
      start: async (target) => {
        peer = await SmallPeer.start(target)
        return peer
      },
      onProgress: (sentence) => {
        if (sentence.startsWith('Judging')) turn(0)
      },
      onResult: () => {
        done += 1
        turn(done)
      },
    })
  }

  const lines = ({ results }: ConformanceReport, keep: (verdict: string) => boolean) =>
    results
      .filter(({ verdict }) => keep(verdict))
      .map(({ case: { id }, verdict, reason }) => `${id} ${verdict}: ${reason} (${FAULTS.get(id)})`)

  it('fails a peer for each of its faults', async () => {
    // Some faults show only in that nothing happens.
    const report = await judge((id) => FAULTS.get(id), 2_000)
    assert.deepEqual(
      lines(report, (verdict) => verdict !== 'failed'),
      [],
    )
    assert.equal(report.passed, false)
  })

  it('passes the same peer without them', async () => {
    const report = await judge(() => undefined, 20_000)
    assert.deepEqual(
      lines(report, (verdict) => verdict !== 'passed'),
      [],
    )
  })
})
