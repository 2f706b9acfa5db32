import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { verify as verifyInJavaScript } from '@scure/sr25519'
import { accountSigner, fromHex, toHex, verifySignature, verifySignatureOfSecret } from '../../../src/crypto/index.js'
import type { Hex } from '../../../src/domain/index.js'

describe('account signer', () => {
  const seed = new Uint8Array(32).fill(3)
  const message = new Uint8Array([1, 2, 3])

  it('signs as its account, without keeping the seed', () => {
    const given = seed.slice()
    const signer = accountSigner(given)
    given.fill(0)
    assert.equal(verifySignature(signer.account, message, signer.sign(message)), true)
    assert.equal(signer.account, accountSigner(seed).account)
  })

  it('signs nothing once its key is forgotten', () => {
    const signer = accountSigner(seed)
    signer.forget()
    assert.throws(() => signer.sign(message), RangeError)
    assert.equal(verifySignature(accountSigner(seed).account, message, accountSigner(seed).sign(message)), true)
  })
})

describe('checking a signature', () => {
  const signer = accountSigner(new Uint8Array(32).fill(7))
  const message = new Uint8Array(100).fill(3)
  const signature = signer.sign(message)

  it('takes what another implementation takes, and nothing else, whichever bit is another one', () => {
    const publicKey = fromHex(signer.account)
    assert.ok(takenByAnother(publicKey, message, signature) && verifySignature(signer.account, message, signature))
    for (const bit of bitsOf(signature)) {
      const altered = flipped(signature, bit)
      assert.equal(verifySignature(signer.account, message, altered), takenByAnother(publicKey, message, altered))
    }
    for (const bit of bitsOf(publicKey)) {
      const altered = flipped(publicKey, bit)
      assert.equal(verifySignature(toHex(altered), message, signature), takenByAnother(altered, message, signature))
    }
  })

  it('is the same where there is no room for WebAssembly', function () {
    // Elsewhere no process can be given so few addresses.
    if (process.platform !== 'linux') this.skip()
    const script = `
      const { accountSigner, verifySignature } = await import(${JSON.stringify(import.meta.resolve('../../../src/crypto/index.js'))})
      const { bridge } = await import(${JSON.stringify(import.meta.resolve('@polkadot/wasm-crypto'))})
      const signer = accountSigner(new Uint8Array(32).fill(7))
      const [message, other] = [new Uint8Array(9), new Uint8Array(8)]
      const signature = signer.sign(message)
      const takes = [message, other].map((each) => verifySignature(signer.account, each, signature))
      console.log(JSON.stringify([bridge.wasm !== null, ...takes]))`
    const run = ['-c', 'ulimit -v 4194304 && exec "$0" "$@"', process.execPath, '--max-old-space-size=512']
    const { stdout, stderr } = spawnSync('sh', [...run, '--input-type=module', '--eval', script], { encoding: 'utf8' })
    assert.equal(stdout, '[false,true,false]\n', stderr)
  })

  it('takes no other form of a signature, and none of the wrong length', () => {
    const unmarked = signature.slice()
    unmarked[63] = (unmarked[63] ?? 0) & 0x7f
    const forms = [unmarked, withOrderAdded(signature), signature.slice(1), new Uint8Array(0), new Uint8Array(64)]
    for (const form of forms) {
      assert.equal(verifySignature(signer.account, message, form), false)
      assert.equal(verifySignatureOfSecret(signer.account, message, form), false)
    }
  })

  it('takes no signature of an account that is no public key, nor of the one under which all can sign', () => {
    const forged = new Uint8Array(64)
    forged[63] = 0x80
    const accounts: Hex[] = [
      `0x${'00'.repeat(32)}`,
      '0xno',
      '0x123',
      `0x${'ff'.repeat(32)}`,
      '0x',
      `${signer.account}00`,
    ]
    for (const account of accounts) {
      for (const form of [forged, signature]) {
        assert.equal(verifySignature(account, message, form), false)
        assert.equal(verifySignatureOfSecret(account, message, form), false)
      }
    }
  })
})

function takenByAnother(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifyInJavaScript(message, signature, publicKey)
  } catch {
    // So it says that something is no point of the curve.
    return false
  }
}

function bitsOf(bytes: Uint8Array): number[] {
  return Array.from({ length: 8 * bytes.length }, (_, bit) => bit)
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const altered = bytes.slice()
  altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return altered
}

/** The same number modulo the order of the group, where it still fits: by a check that reduces it, the same signature. */
function withOrderAdded(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
  const altered = signature.slice()
  altered[63] = (altered[63] ?? 0) & 0x7f
  let scalar = order
  for (let at = 63, number = 0n; at >= 32; at -= 1) {
    number = number * 256n + BigInt(altered[at] ?? 0)
    if (at === 32) scalar += number
  }
  for (let at = 32; at < 64; at += 1, scalar >>= 8n) altered[at] = Number(scalar & 255n)
  altered[63] = (altered[63] ?? 0) | 0x80
  return altered
}
