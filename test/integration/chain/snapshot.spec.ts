import assert from 'node:assert/strict'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import { fromHex, toHex } from '../../../src/crypto/index.js'
import type { Hex } from '../../../src/domain/index.js'
import { chainOfNfts, nftsFrom, nftValue, nftsPrefix as prefix, syncedKinds } from '../../support/made-up-nfts.js'
import { logger, signal } from './fixture.js'
import type { SyntheticChain } from './synthetic.js'

const NFTS = 20_500

const expected = Array.from({ length: NFTS }, (_, nftId) => nftId).flatMap((nftId) =>
  syncedKinds(nftId).map((kind) => `${kind}/${nftId}`),
)

describe('the snapshot of all synced shares', () => {
  let server: SyntheticChain
  let chain: Chain

  beforeEach(async () => {
    server = await chainOfNfts(NFTS)
    chain = await connectChain({ endpoints: [server.url], logger })
  })

  afterEach(async () => {
    await chain.close()
    await server.stop()
  })

  async function listed(onPage: () => void = () => undefined): Promise<string[]> {
    const keys: string[] = []
    for await (const page of chain.syncedShares(chain.finalised(), { signal })) {
      keys.push(...page.map(({ kind, nftId }) => `${kind}/${nftId}`))
      onPage()
    }
    return keys
  }

  const pages = () =>
    server.asked.filter(({ method, params }) => method === 'state_getKeysPaged' && params[0] === prefix)

  it('has each of them, once, and asks no more than three pages ahead of whoever takes them', async () => {
    let taken = 0
    assert.deepEqual(
      await listed(() => {
        taken += 1
        assert.ok(pages().length <= taken + 3)
      }),
      expected,
    )
    assert.equal(taken, Math.ceil(NFTS / 1_000))
  })

  it('is whole where pages are shorter than they were asked for', async () => {
    server.intercept = (method, [of, , after]) =>
      method === 'state_getKeysPaged' && of === prefix
        ? { result: nftsFrom((after ?? undefined) as Hex | undefined, 700, NFTS) }
        : undefined
    assert.deepEqual(await listed(), expected)
  })

  it('goes on where it was when the connection breaks', async () => {
    let taken = 0
    assert.deepEqual(
      await listed(() => {
        taken += 1
        if (taken % 7 === 0) server.cut()
      }),
      expected,
    )
    assert.equal(pages().filter(({ params }) => params[2] === null).length, 1)
  }).timeout(20_000)

  it('waits while nobody answers, and goes on where it was', async () => {
    await chain.close()
    const warn = (message: string) => {
      if (message === 'waiting for the chain to answer') server.isUp = true
    }
    chain = await connectChain({ endpoints: [server.url], logger: { ...logger, warn }, connectTimeoutMs: 100 })
    let taken = 0
    const all = await listed(() => {
      taken += 1
      if (taken !== 5) return
      server.isUp = false
      server.cut()
    })
    assert.equal(server.isUp, true)
    assert.deepEqual(all, expected)
  }).timeout(20_000)

  for (const [fault, answer] of Object.entries({
    'repeats a key': (keys: Hex[]) => [...keys.slice(0, -1), keys[0]],
    'begins again': () => nftsFrom(undefined, 1_000, NFTS),
    'gives more keys than it was asked for': (keys: Hex[]) => [...keys, `${keys.at(-1)}00`],
    'gives the keys of another map': () => [`0xff${prefix.slice(4)}00`],
  })) {
    it(`takes no page from an endpoint that ${fault}, and goes on where it is right again`, async () => {
      let wrong = 0
      server.intercept = (method, [of, size, after]) => {
        if (method !== 'state_getKeysPaged' || of !== prefix || after === null || wrong === 2) return undefined
        wrong += 1
        return { result: answer(nftsFrom(after as Hex, size as number, NFTS)) }
      }
      assert.deepEqual(await listed(), expected)
      assert.equal(wrong, 2)
    }).timeout(20_000)
  }

  it('passes over no NFT whose value is left out', async () => {
    let wrong = 0
    server.intercept = (method, [keys, at]) => {
      if (method !== 'state_queryStorageAt' || !(keys as Hex[])[0]?.startsWith(prefix) || wrong === 2) return undefined
      wrong += 1
      const changes = (keys as Hex[]).slice(1).map((key) => [key, nftValue(key)])
      return { result: [{ block: at, changes }] }
    }
    assert.deepEqual(await listed(), expected)
    assert.equal(wrong, 2)
  }).timeout(20_000)

  const secret = nftValue(nftsFrom(undefined, 2, NFTS)[1] ?? '0x')
  for (const [fault, value] of Object.entries({
    'is cut short': toHex(fromHex(secret).slice(0, -1)),
    'has more than its type': `${secret}00`,
    'has a flag that is no bool': secret.replace(/01000000000000$/, '02000000000000'),
  })) {
    it(`says so when an NFT ${fault}`, async () => {
      server.intercept = (method, [keys, at]) =>
        method === 'state_queryStorageAt' && (keys as Hex[])[0]?.startsWith(prefix)
          ? { result: [{ block: at, changes: (keys as Hex[]).map((key) => [key, value]) }] }
          : undefined
      await assert.rejects(listed(), { code: 'chain/unreadable-block', message: /^Block 9 .*NFT\.Nfts/ })
    })
  }
})
