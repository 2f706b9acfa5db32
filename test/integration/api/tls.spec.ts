import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, type PeerCertificate } from 'node:tls'
import { Stand } from '../../unit/api/fixture.js'
import { Folders } from '../store/fixture.js'
import { type CertificateFiles, makeCertificates } from './certificates.js'

describe('the client API over TLS', () => {
  const folders = new Folders()
  const stand = new Stand()
  let files: CertificateFiles

  before(async () => {
    files = await makeCertificates(await folders.make())
  })

  beforeEach(async () => {
    const { certificate, key } = files
    await stand.start({ tls: { certificate, key } })
  })

  afterEach(() => stand.stop())
  after(() => folders.clear())

  const shown = async (): Promise<PeerCertificate> => {
    const socket = connect({ port: stand.port, host: '127.0.0.1', ca: await readFile(files.authority) })
    await once(socket, 'secureConnect')
    const certificate = socket.getPeerCertificate()
    socket.destroy()
    return certificate
  }

  it('shows its certificate, and says that it speaks HTTPS', async () => {
    assert.match(stand.server.url, /^https:\/\/127\.0\.0\.1:\d+$/)
    assert.equal((await shown()).subject.CN, '127.0.0.1')
  })

  it('speaks no older TLS', async () => {
    const socket = connect({ port: stand.port, host: '127.0.0.1', maxVersion: 'TLSv1.1', rejectUnauthorized: false })
    await assert.rejects(once(socket, 'secureConnect'))
  })

  it('shows a certificate that was renewed, without a restart', async () => {
    const before = (await shown()).serialNumber
    const serial = await files.renew()
    assert.equal((await shown()).serialNumber, before)
    await stand.server.renew()
    const after = (await shown()).serialNumber
    assert.equal(BigInt(`0x${after}`), BigInt(`0x${serial}`))
    assert.notEqual(after, before)
  })

  it('goes on with the certificate that it has when the new one is none', async () => {
    const { serialNumber } = await shown()
    const good = await readFile(files.certificate)
    await writeFile(files.certificate, 'half of a file')
    await assert.rejects(stand.server.renew(), { code: 'api/bad-certificate' })
    assert.equal((await shown()).serialNumber, serialNumber)
    await writeFile(files.certificate, good)
  })

  it('counts the connections of an address', async () => {
    await stand.stop()
    const { certificate, key } = files
    await stand.start({ tls: { certificate, key }, limits: { connectionsPerAddress: 1 } })
    const first = connect({ port: stand.port, host: '127.0.0.1', ca: await readFile(files.authority) })
    await once(first, 'secureConnect')
    const second = connect({ port: stand.port, host: '127.0.0.1', ca: await readFile(files.authority) })
    await assert.rejects(once(second, 'secureConnect'))
    first.destroy()
  })
})
