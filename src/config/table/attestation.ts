import type { Section } from './setting.js'

const webAddress = { is: 'url', schemes: ['http', 'https'] } as const

export const ATTESTATION = {
  source: {
    kind: { is: 'choice', of: ['auto', 'gramine', 'configfs-tsm'] },
    flag: '--quote-source <name>',
    fallback: 'auto',
    example: 'auto',
    about: 'where quotes come from; auto takes what the machine has',
  },
  simulated: {
    seed: {
      kind: { is: 'hex', bytes: 32 },
      flag: '--development-seed <hex>',
      otherwise: 'the machine’s own TEE',
      example: `0x${'01'.repeat(32)}`,
      about:
        'simulates the TEE: quotes of the development PKI with this seed, by which whoever knows it can pretend to be any enclave',
    },
    machineId: {
      kind: { is: 'text', longest: 256 },
      flag: '--machine-id <text>',
      otherwise: 'the folder’s path',
      example: 'machine-1',
      about: 'names the simulated machine',
    },
  },
  collateral: {
    url: {
      kind: webAddress,
      flag: '--collateral-url <url>',
      otherwise: 'Intel’s own service',
      example: 'https://pccs.example:8081',
      about: 'the PCCS that collateral is fetched from',
    },
    rootCrlUrl: {
      kind: webAddress,
      flag: '--root-crl-url <url>',
      otherwise: 'the same service',
      example: 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der',
      about: 'where the root’s revocation list is, only if the service has none',
    },
  },
  policy: {
    kind: { is: 'policy' },
    otherwise: 'has to be said, unless the TEE is simulated',
    example: { allowedMeasurements: [{ mrEnclave: `0x${'e1'.repeat(32)}` }], maximumCollateralAgeDays: 45 },
    about: 'which enclaves are trusted',
  },
} as const satisfies Section
