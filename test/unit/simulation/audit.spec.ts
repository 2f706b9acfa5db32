import assert from 'node:assert/strict'
import { CLUSTER_SIZE, type ShareKey } from '../../../src/domain/index.js'
import { splitSecret } from '../../../src/owner/index.js'
import {
  auditFailover,
  auditHoldings,
  auditImpostors,
  auditMinted,
  auditOutsiders,
  auditRecovery,
  auditRefusals,
  auditRefusalsSent,
  auditResume,
  type HeldShare,
  type Holding,
  type Retrieval,
} from '../../../src/simulation/audit.js'

const SECRET_1: ShareKey = { kind: 'secret', nftId: 1 }
const CAPSULE_1: ShareKey = { kind: 'capsule', nftId: 1 }
const LISTED = [SECRET_1, CAPSULE_1]

function held(key: ShareKey, changes: Partial<HeldShare> = {}): HeldShare {
  return { ...key, version: 7, origin: 0, ...changes }
}

function holdings(changed: HeldShare[]): Holding[] {
  return [
    { enclave: 'c0/s0', shares: LISTED.map((key) => held(key)) },
    { enclave: 'c1/s0', shares: changed },
  ]
}

describe('the audit of holdings', () => {
  it('passes when every enclave holds what the chain lists', () => {
    const checks = auditHoldings(LISTED, holdings(LISTED.map((key) => held(key))))
    assert.deepEqual(
      checks.map(({ passed }) => passed),
      [true, true],
    )
    assert.equal(checks[0]?.detail, '2 shares in each of 2 enclaves')
  })

  it('names the enclave that misses a share', () => {
    const [exactly] = auditHoldings(LISTED, holdings([held(SECRET_1)]))
    assert.equal(exactly?.passed, false)
    assert.equal(exactly?.detail, 'c1/s0 misses capsule/1')
  })

  it('names a share that the chain does not list', () => {
    const surplus = held({ kind: 'secret', nftId: 2 })
    const [exactly] = auditHoldings(LISTED, holdings([...LISTED.map((key) => held(key)), surplus]))
    assert.equal(exactly?.detail, 'c1/s0 holds secret/2, which the chain does not list')
  })

  it('does not take a share twice for two shares', () => {
    const [exactly] = auditHoldings(LISTED, holdings([held(SECRET_1), held(SECRET_1)]))
    assert.equal(exactly?.passed, false)
  })

  it('fails where enclaves differ in version or origin', () => {
    for (const change of [{ version: 8 }, { origin: 1 }]) {
      const [exactly, agreed] = auditHoldings(LISTED, holdings([held(SECRET_1, change), held(CAPSULE_1)]))
      assert.equal(exactly?.passed, true)
      assert.equal(agreed?.passed, false)
      assert.match(agreed?.detail ?? '', /^secret\/1 is block 7 from cluster 0 at c0\/s0, but block/)
    }
  })

  it('does not pass when there was nothing to check', () => {
    assert.equal(auditHoldings([], holdings([]))[0]?.passed, false)
    assert.equal(auditHoldings(LISTED, [])[0]?.passed, false)
  })

  it('spells out three faults and counts the rest', () => {
    const [exactly] = auditHoldings(
      [1, 2, 3, 4, 5].map((nftId) => ({ kind: 'secret', nftId })),
      [{ enclave: 'c0/s0', shares: [] }],
    )
    assert.equal(exactly?.detail, 'c0/s0 misses secret/1; c0/s0 misses secret/2; c0/s0 misses secret/3; and 2 more')
  })
})

describe('the audit of recovery', () => {
  const secret = new Uint8Array(48).fill(9)
  const slots = Array.from({ length: CLUSTER_SIZE }, (_, slot) => slot)
  let shares: string[]

  before(async () => {
    shares = await splitSecret(secret, 3)
  })

  function retrieval(cluster: number, doctored: Record<number, string | undefined> = {}): Retrieval {
    const bySlot = new Map(slots.map((slot) => [slot, slot in doctored ? doctored[slot] : shares[slot]]))
    return { key: SECRET_1, cluster, origin: 0, shares: bySlot, secret }
  }

  async function outcome(retrievals: Retrieval[]): Promise<boolean[]> {
    return (await auditRecovery([SECRET_1], [0, 1], retrievals, 3)).map(({ passed }) => passed)
  }

  it('tries all ten ways to pick three of five slots, in every cluster', async () => {
    const [any, replicas] = await auditRecovery([SECRET_1], [0, 1], [retrieval(0), retrieval(1)], 3)
    assert.deepEqual(any, {
      name: 'Any 3 slots of any cluster recover every secret',
      passed: true,
      detail: '20 recoveries of 1 secrets in 2 clusters',
    })
    assert.deepEqual([replicas?.passed, replicas?.detail], [true, '10 recoveries'])
  })

  it('fails when an enclave does not give its share', async () => {
    assert.deepEqual(await outcome([retrieval(0), retrieval(1, { 4: undefined })]), [false, false])
    assert.deepEqual(await outcome([retrieval(0, { 4: undefined }), retrieval(1)]), [false, true])
  })

  it('fails when a replica has another share, or that of another slot', async () => {
    const others = await splitSecret(secret, 3)
    assert.deepEqual(await outcome([retrieval(0), retrieval(1, { 2: others[2] })]), [false, false])
    assert.deepEqual(await outcome([retrieval(0), retrieval(1, { 2: shares[1] })]), [false, false])
  })

  it('fails when a cluster was not asked, or nobody was', async () => {
    assert.deepEqual(await outcome([retrieval(0)]), [false, false])
    assert.deepEqual(await outcome([]), [false, false])
  })
})

describe('the audit of outsiders', () => {
  it('passes only when there is one and it holds nothing', () => {
    assert.equal(auditOutsiders([{ enclave: 'impostor', shares: [] }]).passed, true)
    assert.equal(auditOutsiders([{ enclave: 'impostor', shares: [held(SECRET_1)] }]).passed, false)
    assert.equal(auditOutsiders([]).passed, false)
  })

  it('wants the one refusal that each attempt deserves', () => {
    const audit = (refusedWith: string | undefined) =>
      auditRefusals('n', 'NOT_REGISTERED', [{ what: 'a', refusedWith }])
    assert.equal(audit('NOT_REGISTERED').passed, true)
    assert.equal(audit('BUSY').detail, 'a met BUSY instead of NOT_REGISTERED')
    assert.equal(audit(undefined).detail, 'a met no refusal instead of NOT_REGISTERED')
    assert.equal(auditRefusals('n', 'NOT_REGISTERED', []).passed, false)
  })
})

describe('the audit of what happened', () => {
  it('compares the chain with what owners handed over', () => {
    assert.equal(auditMinted(LISTED, LISTED).passed, true)
    assert.equal(auditMinted([SECRET_1], LISTED).detail, 'capsule/1 is not synced')
    assert.equal(auditMinted(LISTED, [SECRET_1]).detail, 'capsule/1 was never handed over')
    assert.equal(auditMinted([], []).passed, false)
  })

  it('wants a resumed enclave to fetch what it missed and nothing else', () => {
    const audit = (...fetched: ShareKey[]) =>
      auditResume(
        LISTED,
        [SECRET_1],
        fetched.map((key) => ({ key })),
      )
    assert.equal(audit(CAPSULE_1).passed, true)
    assert.equal(audit().detail, 'capsule/1 was not fetched')
    assert.equal(audit(CAPSULE_1, SECRET_1).detail, 'secret/1 was fetched although it was there')
    assert.equal(auditResume(LISTED, LISTED, []).passed, false)
  })

  it('wants the late enclave to have tried the peer that was down', () => {
    const [absent, other] = ['0xaa', '0xbb'] as const
    const audit = (peer: typeof absent | typeof other, from: typeof absent | typeof other) =>
      auditFailover(absent, [{ peer }], [{ from }])
    assert.equal(audit(absent, other).passed, true)
    assert.equal(audit(other, other).detail, 'it never tried the peer that was down')
    assert.equal(audit(absent, absent).detail, 'it got a share from the peer that was down')
    assert.equal(auditFailover(absent, [{ peer: absent }], []).passed, false)
  })

  it('lets official enclaves send no other refusals than these', () => {
    const audit = (codes: Record<string, number>) => auditRefusalsSent(['BUSY'], [{ enclave: 'c0-s0', codes }])
    assert.equal(audit({ BUSY: 3 }).passed, true)
    assert.equal(audit({ BUSY: 3, QUOTE_INVALID: 1 }).detail, 'c0-s0 sent QUOTE_INVALID 1 times')
    assert.equal(auditRefusalsSent(['BUSY'], []).passed, false)
  })
})

describe('the audit of impostors', () => {
  const met = (...codes: (string | undefined)[]) =>
    auditImpostors(codes.map((refusedWith, index) => ({ what: `try ${index}`, refusedWith })))

  it('passes when each try was refused for the measurement, or before a quote was looked at', () => {
    const { passed, detail } = met('MEASUREMENT_NOT_ALLOWED', 'NOT_REGISTERED', 'MEASUREMENT_NOT_ALLOWED')
    assert.equal(passed, true)
    assert.equal(detail, '2 times for its measurement, 1 times before that')
  })

  it('fails for a try that met no refusal, or one that speaks of a quote that was believed', () => {
    assert.equal(met('MEASUREMENT_NOT_ALLOWED', undefined).passed, false)
    assert.equal(met('MEASUREMENT_NOT_ALLOWED', 'BINDING_MISMATCH').passed, false)
  })

  it('fails where nobody has looked at its measurement, or it has not tried', () => {
    assert.equal(met('NOT_REGISTERED').passed, false)
    assert.equal(met().passed, false)
  })
})
