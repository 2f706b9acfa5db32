import type { Section } from './setting.js'

const milliseconds = { is: 'whole', minimum: 1, maximum: 86_400_000 } as const

export const CHAIN = {
  endpoints: {
    kind: { is: 'list', of: { is: 'url', schemes: ['ws', 'wss'] }, fewest: 1, most: 64 },
    flag: '--chain <url...>',
    otherwise: 'has to be said',
    example: ['wss://one.example', 'wss://two.example'],
    about: 'WebSocket addresses of nodes of the chain, the preferred one first',
  },
  genesisHash: {
    kind: { is: 'hex', bytes: 32 },
    flag: '--genesis-hash <hex>',
    otherwise: 'the chain that the folder is of, or the first endpoint’s',
    example: `0x${'91'.repeat(32)}`,
    about: 'refuses every chain but the one that begins with this block',
  },
  quietAfterMs: {
    kind: milliseconds,
    flag: '--chain-quiet-after <ms>',
    fallback: 30_000,
    example: 30_000,
    about: 'an endpoint without a new final block for so many milliseconds is doubted',
  },
  connectTimeoutMs: {
    kind: milliseconds,
    flag: '--chain-connect-timeout <ms>',
    fallback: 10_000,
    example: 10_000,
    about: 'how many milliseconds to wait for a connection to each endpoint',
  },
} as const satisfies Section
