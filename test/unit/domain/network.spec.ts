import assert from 'node:assert/strict'
import { networkOf } from '../../../src/domain/index.js'

describe('the network that somebody comes from', () => {
  for (const [host, network] of [
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:0a01:203', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['enclave.example', 'enclave.example'],
  ] as const) {
    it(`of ${host} is ${network}`, () => assert.equal(networkOf(host), network))
  }
})
