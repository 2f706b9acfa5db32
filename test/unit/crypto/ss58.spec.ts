import assert from 'node:assert/strict'
import { fromSs58, toSs58 } from '../../../src/crypto/index.js'

/** Alice of every development chain, under several prefixes, as `encodeAddress` of @polkadot/util-crypto writes them. */
const ALICE = '0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d'
const ADDRESSES = {
  'prefix 42, Substrate': '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  'prefix 0, Polkadot': '15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5',
  'prefix 2, Kusama': 'HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F',
  'prefix 255, of two bytes': 'yGHXkYLYqxijLKKfd9Q2CB9shRVu8rPNBS53wvwGTutYg4zTg',
  'prefix 16383, the largest': 'yNa8JpqfFB3q8A29rCwSgxvdU94ufJw2yKKxDgznS5m1PoFvn',
}

function mistyped(address: string): string {
  return address.replace(/.$/, (last) => (last === 'Z' ? 'Y' : 'Z'))
}

describe('SS58 addresses', () => {
  it('writes prefix 42', () => {
    assert.equal(toSs58(ALICE), ADDRESSES['prefix 42, Substrate'])
  })

  for (const [name, address] of Object.entries(ADDRESSES)) {
    it(`reads ${name}`, () => {
      assert.equal(fromSs58(address), ALICE)
    })
  }

  const bad = {
    'nothing at all': '',
    'a wrong checksum': mistyped(ADDRESSES['prefix 42, Substrate']),
    'a letter outside base 58': ADDRESSES['prefix 42, Substrate'].replace('G', '0'),
    'a missing letter': ADDRESSES['prefix 42, Substrate'].slice(0, -1),
    'a leading space': ` ${ADDRESSES['prefix 42, Substrate']}`,
    hexadecimal: ALICE,
    'an account index of two bytes': '25GpQ8',
    'an ECDSA account of 33 bytes': 'KW8nG3C5pZAJcebMKKut2bv7VxPhugJoh7edTPZDsYjSpDNc5',
    'a text of any length': '5'.repeat(100_000),
  }
  for (const [name, address] of Object.entries(bad)) {
    it(`refuses ${name}`, () => {
      assert.throws(() => fromSs58(address), { code: 'crypto/not-ss58' })
    })
  }
})
