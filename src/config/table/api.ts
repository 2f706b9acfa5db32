import type { Section } from './setting.js'

const perMinute = { is: 'whole', minimum: 1, maximum: 1_000_000 } as const

export const API = {
  listen: {
    kind: { is: 'listen-address' },
    flag: '--api-listen <address>',
    otherwise: 'no clients are answered',
    example: '0.0.0.0:8443',
    about: 'where owners and metrics servers reach the enclave, as docs/client-api.md has it',
  },
  certificate: {
    kind: { is: 'path' },
    flag: '--api-certificate <path>',
    otherwise: 'plain HTTP, on loopback or behind proxies alone',
    example: '/etc/slotmesh/certificate.pem',
    about: 'PEM file of the certificate that clients are shown, with its chain; in a file relative to that file',
  },
  key: {
    kind: { is: 'path' },
    flag: '--api-key <path>',
    otherwise: 'plain HTTP, on loopback or behind proxies alone',
    example: '/run/secrets/key.pem',
    about: 'PEM file of the certificate’s key; in a file relative to that file',
  },
  proxies: {
    kind: { is: 'list', of: { is: 'text', longest: 64 }, fewest: 0, most: 64 },
    flag: '--api-proxies <address...>',
    fallback: [],
    example: [],
    about: 'addresses or networks of proxies before the node: nobody else is answered then, and they say who asks',
  },
  origins: {
    kind: { is: 'list', of: { is: 'text', longest: 300 }, fewest: 0, most: 64 },
    flag: '--api-origins <origin...>',
    otherwise: 'any',
    example: ['https://wallet.example'],
    about: 'origins of the web pages that may ask',
  },
  requestsPerMinute: {
    kind: perMinute,
    flag: '--api-requests-per-minute <count>',
    fallback: 240,
    example: 240,
    about: 'how many requests of one address are answered in a minute',
  },
  requestsPerMinuteInAll: {
    kind: perMinute,
    flag: '--api-requests-per-minute-in-all <count>',
    fallback: 6_000,
    example: 6_000,
    about: 'how many requests of all together are answered in a minute',
  },
  bodyBytes: {
    kind: { is: 'whole', minimum: 8_192, maximum: 2_097_152 },
    flag: '--api-body-bytes <bytes>',
    fallback: 65_536,
    example: 65_536,
    about: 'how large a request may be; a share of 3,000 bytes needs some 4,000, and more where it is no plain text',
  },
} as const satisfies Section
