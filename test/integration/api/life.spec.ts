import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { readQuote } from '../../../src/attestation/quote.js'
import { accountSigner, fromHex, toSs58, utf8, verifySignature } from '../../../src/crypto/index.js'
import type { ShareKind } from '../../../src/domain/index.js'
import { ownerStoreRequest, retrieveRequest, splitSecret } from '../../../src/owner/index.js'
import { MAIN, runHere } from '../../e2e/cli.js'
import { listing, removing } from '../../unit/owner/fixture.js'
import { Folders } from '../store/fixture.js'
import { ApiMesh, metricsServer, owner, ownerSeed, rentee } from './mesh.js'

const STORE = { secret: '/api/secret-nft/store-keyshare', capsule: '/api/capsule-nft/set-keyshare' }

describe('the client API of running nodes', () => {
  const folders = new Folders()
  let mesh: ApiMesh

  before(async () => {
    mesh = new ApiMesh(await folders.make(), { listen: '127.0.0.1:0' })
    await mesh.start(1)
  })

  after(async () => {
    await mesh.stop()
    await folders.clear()
  })

  const post = async (index: number, path: string, body: unknown) => {
    const response = await fetch(`${await mesh.url(index)}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
    return { http: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  const get = async (index: number, path: string) => {
    const response = await fetch(`${await mesh.url(index)}${path}`)
    return { http: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  const orders = async (kind: ShareKind, nftId: number, shares: readonly string[]) => {
    const { finalisedBlock: block } = await mesh.node(0).status()
    const temporarySigner = accountSigner(new Uint8Array(32).fill(3))
    return shares.map((share) =>
      ownerStoreRequest({ owner, temporarySigner, key: { kind, nftId }, share, block, validity: 20 }),
    )
  }

  const store = async (kind: ShareKind, nftId: number, shares: readonly string[]) => {
    const requests = await orders(kind, nftId, shares)
    const answers = await Promise.all(requests.map((request, slot) => post(slot, STORE[kind], request)))
    for (const { http, body } of answers) assert.deepEqual([http, body.status], [200, 'STORESUCCESS'])
  }

  const ask = async (index: number, kind: ShareKind, nftId: number, by = owner, role: 'OWNER' | 'RENTEE' = 'OWNER') => {
    const { finalisedBlock: block } = await mesh.node(index).status()
    const request = retrieveRequest({ requester: by, role, key: { kind, nftId }, block, validity: 20 })
    return post(index, `/api/${kind}-nft/retrieve-keyshare`, request)
  }

  const mint = async (kind: ShareKind) => {
    const { nftId, block } = await mesh.actors.mint(owner, kind)
    await mesh.seen(block)
    return nftId
  }

  it('keeps a secret from its minting to its burning', async () => {
    const nftId = await mint('secret')
    const shares = await splitSecret(utf8('a secret that nobody may know'), 3)
    assert.equal((await ask(0, 'secret', nftId)).body.status, 'NOTSYNCED')
    await store('secret', nftId, shares)
    await mesh.seen(mesh.actors.finalised)
    const { http, body } = await ask(2, 'secret', nftId)
    assert.deepEqual([http, body.status], [200, 'RETRIEVESUCCESS'])
    assert.equal(String(body.keyshare_data).split('_')[1], shares[2])

    // A client that lost the reply sends the same again; what differs comes too late.
    const again = await orders('secret', nftId, shares)
    assert.equal((await post(1, STORE.secret, again[1])).body.status, 'STORESUCCESS')
    const [other] = await orders('secret', nftId, ['another share than the one held'])
    assert.deepEqual((await post(1, STORE.secret, other)).body.status, 'NFTIDEXISTS')

    const log = (await get(2, `/api/secret-nft/get-views-log/${nftId}`)).body.log as Record<string, object>
    const entries = Object.values(log.secret_nft ?? {}) as { event: string; account: { address: string } }[]
    assert.deepEqual(
      entries.map(({ event, account }) => [event, account.address]),
      [
        ['STORE', toSs58(owner.account)],
        ['VIEW', toSs58(owner.account)],
      ],
    )
    assert.equal((await get(2, `/api/secret-nft/is-keyshare-available/${nftId}`)).body.exists, true)

    await mesh.actors.burn(owner, nftId)
    await mesh.seen(mesh.actors.finalised)
    assert.deepEqual((await ask(2, 'secret', nftId)).body.status, 'INVALIDNFTID')
    assert.equal((await get(2, `/api/secret-nft/is-keyshare-available/${nftId}`)).http, 404)
    assert.equal((await get(2, `/api/secret-nft/get-views-log/${nftId}`)).http, 404)
  })

  it('gives a share to who rents it, and not after the rental', async () => {
    const nftId = await mint('capsule')
    await store('capsule', nftId, await splitSecret(utf8('a capsule that is rented'), 3))
    await mesh.seen(await mesh.actors.rentOut(owner, nftId, rentee))
    assert.equal((await ask(1, 'capsule', nftId, rentee, 'RENTEE')).http, 200)
    assert.equal((await ask(1, 'capsule', nftId, rentee)).body.status, 'REQUESTERVERIFICATIONFAILED')
    await mesh.seen(await mesh.actors.endRental(rentee, nftId))
    assert.equal((await ask(1, 'capsule', nftId, rentee, 'RENTEE')).body.status, 'REQUESTERVERIFICATIONFAILED')
    assert.equal((await ask(1, 'capsule', nftId)).http, 200)
  })

  it('tells a metrics server what was synced, and has nothing left of what is burned', async () => {
    const nftId = await mint('secret')
    await store('secret', nftId, await splitSecret(utf8('a secret that is counted'), 3))
    await mesh.seen(mesh.actors.finalised)
    const { finalisedBlock } = await mesh.node(0).status()
    const sign = (interval: string) => {
      const auth = listing({ interval }).auth_token.replace(/"block_number":\d+/, `"block_number":${finalisedBlock}`)
      return listing({ interval, auth }, {}, metricsServer)
    }
    const path = '/api/metric/interval-nft-list'
    assert.equal((await post(0, path, sign(`[0,${finalisedBlock}]`))).http, 400)
    await mesh.seen(await mesh.actors.admitMetricsServer(metricsServer.account))
    const { http, body } = await post(0, path, sign(`[0,${finalisedBlock + 1}]`))
    assert.equal(http, 200)
    assert.ok((body.nftid as number[]).includes(nftId))
    assert.deepEqual((await post(0, path, sign('[0,1]'))).body, { nftid: [] })

    const remove = async () => {
      const { finalisedBlock: block } = await mesh.node(3).status()
      const request = removing(`<Bytes>${nftId}_${block}_15</Bytes>`, {}, metricsServer)
      return (await post(3, '/api/secret-nft/remove-keyshare', request)).body.status
    }
    assert.equal(await remove(), 'NOTBURNT')
    await mesh.actors.burn(owner, nftId)
    await mesh.until(async () => (await mesh.node(3).status()).finalisedBlock >= mesh.actors.finalised)
    assert.equal(await remove(), 'REMOVESUCCESS')
    assert.equal(await mesh.node(3).holdsShare({ kind: 'secret', nftId }), false)
  })

  it('shows a quote over its account and a block', async () => {
    const [one, other] = await Promise.all([get(4, '/api/quote'), get(4, '/api/quote')])
    assert.equal(one.http, 200)
    if (one.body.block_number === other.body.block_number) assert.equal(one.body.data, other.body.data)
    const { reportData } = readQuote(fromHex(`0x${one.body.data}`)).claims
    const { account } = mesh.node(4)
    assert.ok(verifySignature(account, utf8(`${toSs58(account)}_${one.body.block_number}`), reportData))
  })

  it('is ready, and tells where it is', async () => {
    assert.equal((await get(0, '/readyz')).http, 200)
    const { http, body } = await get(0, '/api/health')
    assert.equal(http, 200)
    const { peerId, multiaddrs } = await mesh.node(0).status()
    assert.deepEqual([body.peer_id, body.multiaddrs], [peerId, multiaddrs])
    assert.match(String(body.sync_state), /^\d+$/)
    assert.equal(body.chain, 'slotmesh development')
  })

  describe('by the commands of owners', () => {
    const secret = 'a secret of the command line'
    let folder: string
    let nftId: number

    const withSecret = async (args: readonly string[], input: string) => {
      const child = spawn(process.execPath, [MAIN, ...args, '--chain', mesh.chain.url], {
        env: { ...process.env, SLOTMESH_OWNER_SEED: '' },
      })
      child.stdin.end(input)
      const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
      return { output, errors }
    }

    const slotmesh = async (...args: string[]) => {
      const { stdout: output, stderr: errors } = await runHere(...args, '--chain', mesh.chain.url)
      return { output, errors }
    }

    before(async () => {
      folder = await folders.make()
      await writeFile(join(folder, 'seed'), `${ownerSeed}\n`)
      nftId = await mint('secret')
    })

    it('stores a secret', async () => {
      const args = [
        'store',
        '--nft',
        `${nftId}`,
        '--cluster',
        `${mesh.clusters[0]}`,
        '--seed-file',
        join(folder, 'seed'),
      ]
      const { output, errors } = await withSecret(args, secret)
      assert.equal(errors, '')
      assert.match(output, /^5 of 5 shares of the secret of NFT \d+ are kept/)
    })

    it('has it back', async () => {
      await mesh.seen(mesh.actors.finalised)
      const { output, errors } = await slotmesh('retrieve', '--nft', `${nftId}`, '--seed-file', join(folder, 'seed'))
      assert.deepEqual({ output, errors }, { output: secret, errors: '' })
    })

    it('gives it to nobody else, and says why', async () => {
      await writeFile(join(folder, 'other'), '0x'.padEnd(66, '7'))
      const { output, errors } = await slotmesh('retrieve', '--nft', `${nftId}`, '--seed-file', join(folder, 'other'))
      assert.equal(output, '')
      assert.match(errors, /REQUESTERVERIFICATIONFAILED/)
    })

    it('asks for a seed where none is given, and refuses what is none', async () => {
      assert.match((await withSecret(['retrieve', '--nft', '1'], '')).errors, /SLOTMESH_OWNER_SEED/)
      await writeFile(join(folder, 'none'), 'my secret seed')
      const { errors } = await slotmesh('retrieve', '--nft', '1', '--seed-file', join(folder, 'none'))
      assert.match(errors, /64 hexadecimal digits/)
      assert.doesNotMatch(errors, /my secret/)
    })
  })

  it('is how a node that knows nobody finds its way into the mesh', async () => {
    const nftId = await mint('secret')
    await store('secret', nftId, await splitSecret(utf8('a secret that is replicated'), 3))
    const newcomer = await mesh.add('newcomer', [])
    const cluster = await mesh.actors.createCluster()
    const seat = { operator: rentee, account: newcomer.account, cluster, slot: 0, apiUri: 'https://newcomer.invalid' }
    await mesh.actors.seat([seat])
    await mesh.until(() => newcomer.holdsShare({ kind: 'secret', nftId }))
  })
})
