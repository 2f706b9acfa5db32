import assert from 'node:assert/strict'
import crypto, { createHash } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { XWing } from '@hpke/hybridkem-x-wing'
import { createMlKem768 } from 'mlkem'
import {
  decapsulateXWing,
  deriveXWing,
  encapsulateXWing,
  fromHex,
  generateXWing,
  toHex,
  X_WING,
  type XWingKeys,
} from '../../../src/crypto/index.js'
import { SlotmeshError } from '../../../src/domain/index.js'
import { MadeArrays } from '../../support/made-arrays.js'
import { SMALL_ORDER } from '../../support/small-order.js'

/**
 * draft-connolly-cfrg-xwing-kem-08, appendix C; of the public key and the ciphertext, of which it gives all bytes, SHA-256.
 */
const VECTORS = [
  {
    seed: '7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26',
    eseed:
      '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2' +
      '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
    secret: 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384',
    publicKey: '2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb',
    ciphertext: '17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33',
  },
  {
    seed: 'badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea',
    eseed:
      '17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef' +
      'aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d',
    secret: 'f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150',
    publicKey: 'c42ba5f8430d7d2c83739338203819f090e8303ce9c8b02107c272bfa5376916',
    ciphertext: '1661ea86d608a1924ba30840cb0a65f13ae051e3aec9cf0f064efc0bc92f2154',
  },
  {
    seed: 'ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9',
    eseed:
      '22a96188d032675c8ac850933c7aff1533b94c834adbb69c6115bad4692d8619' +
      'f90b0cdf8a7b9c264029ac185b70b83f2801f2f4b3f70c593ea3aeeb613a7f1b',
    secret: '953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f',
    publicKey: '6b080d6b84f095342092fa7a22423e58bd681397ad0ef00eac92bd254db4fa95',
    ciphertext: 'd3ca5578500344b5896cffc4fd740c9311946b82951df155e6fd86a7966b43c6',
  },
]

describe('X-Wing', () => {
  for (const [at, vector] of VECTORS.entries()) {
    it(`is that of its draft by vector ${at + 1}`, async () => {
      const keys = deriveXWing(fromHex(`0x${vector.seed}`))
      assert.equal(sha256(keys.publicKey), vector.publicKey)
      const { ciphertext, secret } = encapsulateXWing(keys.publicKey, fromHex(`0x${vector.eseed}`))
      assert.equal(sha256(ciphertext), vector.ciphertext)
      assert.equal(toHex(secret), `0x${vector.secret}`)
      assert.equal(toHex(decapsulateXWing(keys, ciphertext)), `0x${vector.secret}`)
    })
  }

  it('takes with a new key pair what was encapsulated to it, another secret each time', async () => {
    const [keys, other] = [generateXWing(), generateXWing()]
    const differ = (first: Uint8Array, second: Uint8Array) => {
      assert.notDeepEqual(first.subarray(0, -32), second.subarray(0, -32))
      assert.notDeepEqual(first.subarray(-32), second.subarray(-32))
    }
    differ(keys.publicKey, other.publicKey)
    const [one, two] = [encapsulateXWing(keys.publicKey), encapsulateXWing(keys.publicKey)]
    assert.deepEqual(decapsulateXWing(keys, one.ciphertext), one.secret)
    assert.deepEqual(decapsulateXWing(keys, two.ciphertext), two.secret)
    assert.notDeepEqual(one.secret, two.secret)
    differ(one.ciphertext, two.ciphertext)
    assert.notDeepEqual(decapsulateXWing(other, one.ciphertext), one.secret)
  })

  it('agrees with another implementation, whichever of the two encapsulates', async () => {
    const library = new XWing()
    for (let turn = 0; turn < 8; turn += 1) {
      const own = turn % 2 === 0 ? generateXWing() : deriveXWing(crypto.randomBytes(X_WING.seed))
      const recipientPublicKey = await library.deserializePublicKey(own.publicKey)
      const { enc, sharedSecret } = await library.encap({ recipientPublicKey })
      assert.deepEqual(decapsulateXWing(own, new Uint8Array(enc)), new Uint8Array(sharedSecret))

      const recipientKey = await library.generateKeyPair()
      const publicKey = new Uint8Array(await library.serializePublicKey(recipientKey.publicKey))
      const { ciphertext, secret } = encapsulateXWing(publicKey)
      assert.deepEqual(secret, new Uint8Array(await library.decap({ recipientKey, enc: ciphertext })))
    }
  })

  it('takes nothing with a key pair that is disposed of: its zeroes would give what everybody can compute', () => {
    const keys = generateXWing()
    const { ciphertext } = encapsulateXWing(keys.publicKey)
    keys[Symbol.dispose]()
    assert.throws(() => decapsulateXWing(keys, ciphertext), RangeError)
  })

  it('leaves given randomness to whoever gave it', () => {
    const randomness = Buffer.alloc(X_WING.randomness, 7)
    encapsulateXWing(generateXWing().publicKey, randomness)
    assert.deepEqual(randomness, Buffer.alloc(X_WING.randomness, 7))
  })

  it('refuses X25519 keys of small order, in public keys and in ciphertexts', async () => {
    const keys = generateXWing()
    const { ciphertext } = encapsulateXWing(keys.publicKey)
    for (const point of SMALL_ORDER) {
      const ending = (bytes: Uint8Array) => Uint8Array.of(...bytes.slice(0, -32), ...point)
      refused(() => encapsulateXWing(ending(keys.publicKey)))
      refused(() => decapsulateXWing(keys, ending(ciphertext)))
    }
  })

  it('refuses ML-KEM keys that are not reduced', async () => {
    const { publicKey } = generateXWing()
    for (const first of [0x01, 0xff]) refused(() => encapsulateXWing(Uint8Array.of(first, 0x0d, ...publicKey.slice(2))))
  })

  it('refuses what is shorter or longer', async () => {
    const keys = generateXWing()
    for (const more of [-1, 1]) {
      refused(() => deriveXWing(new Uint8Array(X_WING.seed + more)))
      refused(() => encapsulateXWing(resized(keys.publicKey, more)))
      refused(() => encapsulateXWing(keys.publicKey, new Uint8Array(X_WING.randomness + more)))
      const { ciphertext } = encapsulateXWing(keys.publicKey)
      refused(() => decapsulateXWing(keys, resized(ciphertext, more)))
    }
  })

  describe('leaves no secrets', () => {
    it('of a key pair that is disposed of', async () => {
      for (const keys of [generateXWing(), deriveXWing(new Uint8Array(32).fill(7))]) {
        const mlKem = mlKemOf(keys)
        assert.equal(mlKem.length, 2400)
        assert.ok(!isZero(mlKem))
        keys[Symbol.dispose]()
        assert.ok(isZero(mlKem))
        assert.equal(keys.privateKey, undefined)
      }
    })

    it('of ML-KEM alone', async () => {
      const keys = generateXWing()
      const randomness = new Uint8Array(X_WING.randomness).fill(7)
      const mlKem = await createMlKem768()
      const [, secret] = mlKem.encap(keys.publicKey.subarray(0, -32), randomness.subarray(0, 32))
      const made = new MadeArrays()
      await made.during(async () => {
        const { ciphertext } = encapsulateXWing(keys.publicKey, randomness)
        decapsulateXWing(keys, ciphertext)
      })
      assert.deepEqual(made.holding(secret), [])
    })

    const work: Record<string, (keys: XWingKeys, ciphertext: Uint8Array) => readonly Uint8Array[]> = {
      'a key pair generated': () => [mlKemOf(generateXWing())],
      'one derived': () => [mlKemOf(deriveXWing(new Uint8Array(32).fill(7)))],
      'an encapsulation': ({ publicKey }) => [encapsulateXWing(publicKey).secret],
      'one by given randomness': ({ publicKey }) => [encapsulateXWing(publicKey, new Uint8Array(64).fill(7)).secret],
      'one to a key that is none': ({ publicKey }) => {
        refused(() => encapsulateXWing(Uint8Array.of(0xff, 0xff, ...publicKey.slice(2))))
        return []
      },
      'a decapsulation': (keys, ciphertext) => [decapsulateXWing(keys, ciphertext)],
      'one of what is none': (keys, ciphertext) => {
        refused(() => decapsulateXWing(keys, Uint8Array.of(...ciphertext.slice(0, -32), ...new Uint8Array(32))))
        return []
      },
    }
    for (const [name, run] of Object.entries(work)) {
      it(`of ${name}, but the result`, async () => {
        const keys = generateXWing()
        const { ciphertext } = encapsulateXWing(keys.publicKey)
        const made = new MadeArrays()
        const seen = new SecretsOfNode()
        const results = await made.during(() => seen.during(async () => run(keys, ciphertext)))
        assert.ok(made.count > 0 || results.length === 0)
        assert.deepEqual(seen.left(), [])
        for (const secret of seen.copies) assert.deepEqual(made.holding(secret, results), [])
      })
    }
  })
})

/** What Node's cryptography gave to this process's own code, or took from it, that is secret. */
class SecretsOfNode {
  readonly #given: Uint8Array[] = []
  /** As they were when they were given. */
  readonly copies: Buffer[] = []

  /** Those that are not zeroed. */
  left(): Uint8Array[] {
    return this.#given.filter((bytes) => !isZero(bytes))
  }

  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    const keep = <Given>(given: Given): Given => {
      if (!(given instanceof Uint8Array)) return given
      this.#given.push(given)
      this.copies.push(Buffer.from(given))
      return given
    }
    const { randomBytes, diffieHellman, createPrivateKey } = crypto
    const hash = Object.getPrototypeOf(createHash('sha256'))
    const { digest } = hash
    Object.assign(crypto, {
      randomBytes: (length: number) => keep(randomBytes(length)),
      diffieHellman: (keys: Parameters<typeof diffieHellman>[0]) => keep(diffieHellman(keys)),
      createPrivateKey: (input: crypto.PrivateKeyInput) => {
        keep(input.key)
        return createPrivateKey(input)
      },
    })
    hash.digest = function (this: crypto.Hash) {
      return keep(digest.call(this))
    }
    syncBuiltinESMExports()
    try {
      return await work()
    } finally {
      Object.assign(crypto, { randomBytes, diffieHellman, createPrivateKey })
      hash.digest = digest
      syncBuiltinESMExports()
    }
  }
}

function refused(attempt: () => unknown): void {
  assert.throws(attempt, (thrown) => thrown instanceof SlotmeshError && thrown.code === 'crypto/x-wing')
}

function mlKemOf({ privateKey }: XWingKeys): Uint8Array {
  return privateKey?.mlKem ?? assert.fail('The key pair is disposed of.')
}

function resized(bytes: Uint8Array, more: number): Uint8Array {
  const other = new Uint8Array(bytes.length + more)
  other.set(bytes.subarray(0, other.length))
  return other
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
