import assert from 'node:assert/strict'
import { hostText, listenAddress, namesHere } from '../../../src/web/index.js'

describe('whether a request was meant for a server', () => {
  const isMeant = (host: string | undefined, names: string[] = []) =>
    namesHere({ headers: host === undefined ? {} : { host } }, names)

  it('shows in a literal address, in localhost, or in a name that was given', () => {
    for (const host of ['127.0.0.1:9000', '10.1.2.3', '[::1]:9000', 'localhost:9000', 'LOCALHOST']) {
      assert.ok(isMeant(host), host)
    }
    assert.ok(isMeant('node-a:9615', ['node-a']))
    assert.ok(isMeant('node-a', ['Node-A']))
  })

  it('does not where a page elsewhere has its own name point here', () => {
    for (const host of [
      'elsewhere.example:9000',
      '127.0.0.1.elsewhere.example',
      'localhost.example',
      '',
      'a b',
      undefined,
    ]) {
      assert.equal(isMeant(host, ['node-a']), false, host)
    }
    for (const host of ['127.0.0.1:9000/x', 'x@127.0.0.1', '127.0.0.1:99999']) assert.equal(isMeant(host), false, host)
  })
})

describe('an address to listen on', () => {
  it('is a literal address, or localhost, and a port', () => {
    for (const text of ['127.0.0.1:9615', '[::1]:0', '0.0.0.0:65535', 'localhost:80']) {
      assert.equal(hostText(listenAddress(text)), text)
    }
    assert.deepEqual(listenAddress('9615'), { host: '127.0.0.1', port: 9_615 })
  })

  it('is refused otherwise, with a sentence that shows one', () => {
    for (const text of [
      '',
      '99999',
      '127.0.0.1',
      '::1:9615',
      '[127.0.0.1]:80',
      'example.com:80',
      '127.0.0.1:65536',
      '127.0.0.1:x',
    ]) {
      assert.throws(
        () => listenAddress(text),
        { code: 'web/bad-address', message: /looks like 127\.0\.0\.1:9615/ },
        text,
      )
    }
  })
})
