import { isIPv6 } from 'node:net'

const MAPPED = '0:0:0:0:0:ffff'

/**
 * By what those who come are told apart: an IPv4 address, also where it is written as an IPv6 one, as it is on a socket
 * that takes both; of IPv6 the first half, since whoever has one address of it has the others; else the host as it is.
 */
export function networkOf(host: string): string {
  if (!isIPv6(host)) return host
  const groups = groupsOf(host)
  const half = groups.slice(0, 4).join(':')
  if (groups.slice(0, 6).join(':') !== MAPPED) return half
  const numbers = groups.slice(6).map((group) => Number.parseInt(group, 16))
  return numbers.flatMap((number) => [number >> 8, number & 0xff]).join('.')
}

/** All eight, in hexadecimal without leading zeroes. */
function groupsOf(host: string): string[] {
  const [address = ''] = host.toLowerCase().split('%')
  const [head = [], tail] = address.split('::').map(parts)
  if (tail === undefined) return head
  return [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
}

function parts(text: string): string[] {
  return text.split(':').flatMap((part) => {
    if (part === '') return []
    if (!part.includes('.')) return [Number.parseInt(part, 16).toString(16)]
    const [one = 0, two = 0, three = 0, four = 0] = part.split('.').map(Number)
    return [(one * 256 + two).toString(16), (three * 256 + four).toString(16)]
  })
}
