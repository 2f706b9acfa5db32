import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { multiaddr } from '@multiformats/multiaddr'
import type { Settings } from '../../config/index.js'
import { type Finding, fails, isErrno, warns, well } from './finding.js'

/** Whether what is to be listened on is free, and others can reach it. @param isRunning whether the node has them itself. */
export async function lookAtPorts({ mesh }: Settings, isRunning: boolean): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const address of mesh.listen) {
    findings.push(isRunning ? well('port', `${address} is in use by the node itself`) : await lookAtPort(address))
  }
  return [...findings, ...lookAtReach(mesh)]
}

async function lookAtPort(address: string): Promise<Finding> {
  const parts = multiaddr(address).getComponents()
  const host = parts.find(({ name }) => name === 'ip4' || name === 'ip6')?.value
  const port = Number(parts.find(({ name }) => name === 'tcp')?.value)
  if (host === undefined) return well('port', `${address} is listened on by its name`)
  const server = createServer()
  try {
    const listening = once(server, 'listening')
    server.listen({ host, port, exclusive: true })
    await listening
    return well('port', `${address} is free`)
  } catch (thrown) {
    return fails('port', `${address} cannot be listened on`, mendOf(thrown, address))
  } finally {
    server.close()
  }
}

function mendOf(thrown: unknown, address: string): string {
  if (isErrno(thrown, 'EADDRINUSE'))
    return `Stop the program that uses it (ss -ltnp), or name another port by mesh.listen.`
  if (isErrno(thrown, 'EADDRNOTAVAIL')) return `This machine has no such address (ip address): correct mesh.listen.`
  if (isErrno(thrown, 'EACCES')) return `Ports below 1024 are for root: name another one by mesh.listen.`
  return `Correct ${address} in mesh.listen.`
}

function lookAtReach({ listen, announce, allowPrivateAddresses }: Settings['mesh']): Finding[] {
  if (allowPrivateAddresses) {
    return [
      warns(
        'reach',
        'private addresses are told to others',
        'Set mesh.allowPrivateAddresses to false, unless all nodes are in one network.',
      ),
    ]
  }
  const told = announce ?? listen.flatMap(ownAddresses)
  if (told.some((address) => !isPrivate(address)))
    return [well('reach', `others are told ${told.filter((each) => !isPrivate(each)).join(', ')}`)]
  return [
    fails(
      'reach',
      'this machine has no public address to tell others',
      'Say by mesh.announce under which address and port others reach it.',
    ),
  ]
}

/** What an address that stands for all of the machine's stands for. */
function ownAddresses(address: string): string[] {
  const [, family, rest] = /^\/(ip4\/0\.0\.0\.0|ip6\/::)(\/.*)$/.exec(address) ?? []
  if (family === undefined) return [address]
  const wanted = family.startsWith('ip4') ? 'IPv4' : 'IPv6'
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return own.filter((each) => each.family === wanted).map((each) => `/${family.slice(0, 3)}/${each.address}${rest}`)
}

const PRIVATE =
  /^\/(ip4\/(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|ip6\/(::1?\/|f[cd]|fe[89ab]))/i

function isPrivate(address: string): boolean {
  return PRIVATE.test(address)
}
