import type { Section } from './setting.js'

const listen = { is: 'listen-address' } as const
const names = { is: 'list', of: { is: 'text', longest: 253 }, fewest: 0, most: 16 } as const

export const STATUS = {
  listen: {
    kind: listen,
    flag: '--status-listen <address>',
    otherwise: 'no page',
    example: '127.0.0.1:9616',
    about: 'where the status page is served; a port alone is one of this machine’s own address, 127.0.0.1',
  },
  names: {
    kind: names,
    flag: '--status-names <name...>',
    fallback: [],
    example: [],
    about: 'names by which the status page is reached, besides literal addresses and localhost',
  },
} as const satisfies Section

export const METRICS = {
  listen: {
    kind: listen,
    flag: '--metrics-listen <address>',
    otherwise: 'no metrics',
    example: '127.0.0.1:9615',
    about: 'where Prometheus reads /metrics; a port alone is one of 127.0.0.1',
  },
  names: {
    kind: names,
    flag: '--metrics-names <name...>',
    fallback: [],
    example: [],
    about: 'names by which Prometheus reaches the node, besides literal addresses and localhost',
  },
} as const satisfies Section
