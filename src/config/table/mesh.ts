import type { Section } from './setting.js'

const own = { is: 'list', of: { is: 'multiaddr', tcp: true }, fewest: 0, most: 64 } as const

export const MESH = {
  listen: {
    kind: own,
    flag: '--listen <multiaddr...>',
    fallback: ['/ip4/0.0.0.0/tcp/4001'],
    example: ['/ip4/0.0.0.0/tcp/4001'],
    about: 'addresses to listen on',
  },
  announce: {
    kind: own,
    flag: '--announce <multiaddr...>',
    otherwise: 'those listened on',
    example: ['/dns4/enclave.example/tcp/4001'],
    about: 'addresses to tell others, when they reach the node by other ones',
  },
  bootstrap: {
    kind: { is: 'list', of: { is: 'multiaddr', tcp: false }, fewest: 0, most: 64 },
    flag: '--bootstrap <multiaddr...>',
    fallback: [],
    example: [],
    about: 'addresses of peers to enter the mesh by; addresses in the registry are tried as well',
  },
  allowPrivateAddresses: {
    kind: { is: 'yes-or-no' },
    flag: '--allow-private-addresses',
    fallback: false,
    example: false,
    about: 'whether to dial, and tell others, loopback and local-network addresses',
  },
  shutOutOffenders: {
    kind: { is: 'yes-or-no' },
    flag: '--shut-out-offenders',
    fallback: true,
    example: true,
    about:
      'whether peers that misbehave are shut out for a while; without it they are counted only, for a node that a suite judges',
  },
} as const satisfies Section
