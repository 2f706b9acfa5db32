import { multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import type { Hex } from '../domain/index.js'
import { parseSealingKeySource } from '../sealing-key/index.js'

/** So many bytes in hexadecimal, either case. */
export function hex(bytes: number): z.ZodType<Hex> {
  return z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `takes ${bytes} bytes in hexadecimal (0x…)`)
    .transform((text): Hex => `0x${text.slice(2).toLowerCase()}`)
}

/** A URL of one of the schemes; it is printed and logged, so it must hold no secret. */
export function url(...schemes: readonly string[]): z.ZodType<string> {
  const isOne = (text: string) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1))
  const isOpen = (text: string) => {
    if (!URL.canParse(text)) return true
    const { username, password } = new URL(text)
    return username === '' && password === ''
  }
  return z
    .string()
    .refine(isOne, `takes a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`)
    .refine(isOpen, 'takes a URL without user and password, since it is printed and logged')
}

/** @param tcp whether it has to name a TCP port itself, rather than something that leads to one. */
export function address({ tcp }: { readonly tcp: boolean }): z.ZodType<string> {
  const isOne = (text: string) => {
    try {
      const components = multiaddr(text).getComponents()
      return components.length > 0 && (!tcp || components.some(({ name }) => name === 'tcp'))
    } catch {
      return false
    }
  }
  return z.string().refine(isOne, `takes a multiaddr${tcp ? ' of a TCP port' : ''} such as /ip4/192.0.2.1/tcp/4001`)
}

/** The words that name a source of a sealing key. */
export function sealingSource(): z.ZodType<string> {
  const isOne = (text: string) => {
    try {
      parseSealingKeySource(text)
      return true
    } catch {
      return false
    }
  }
  return z
    .string()
    .max(4_096)
    .refine(isOne, 'takes gramine:mrenclave, gramine:mrsigner, file:<path> or passphrase:<path>')
}
