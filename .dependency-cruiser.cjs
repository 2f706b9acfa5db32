/*
 * The house has floors; imports go downwards only. Rooms on the same floor do not know each other.
 * A room is imported through its index.ts. See docs/architecture.md.
 */
const floors = [
  ['cli'],
  ['simulation', 'conformance', 'control', 'metrics', 'status-page'],
  ['node', 'devchain', 'config'],
  ['api'],
  ['sync'],
  ['owner', 'share', 'reconcile', 'mesh', 'chain', 'attestation', 'sealing-key', 'store'],
  ['provenance', 'inventory', 'framing', 'web'],
  ['crypto'],
  ['domain'],
]

const upwards = floors.flatMap((rooms, floor) =>
  rooms.map((room) => {
    const allowed = [room, ...floors.slice(floor + 1).flat()]
    return {
      name: `${room}-imports-downwards-only`,
      severity: 'error',
      comment: `src/${room} may import: ${allowed.join(', ')}`,
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${allowed.join('|')})/` },
    }
  }),
)

module.exports = {
  forbidden: [
    ...upwards,
    {
      name: 'rooms-have-one-door',
      severity: 'error',
      comment:
        'Another room is imported through its index.ts (attestation has a second door: its development PKI; config one for its table, which loads nothing; share and mesh have one for their messages taken apart).',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/([^/]+)/',
        pathNot: [
          '^src/$1/',
          '^src/[^/]+/index\\.ts$',
          '^src/attestation/development/index\\.ts$',
          '^src/web/page/',
          '^src/config/table/index\\.ts$',
          '^src/(share|mesh)/raw/index\\.ts$',
        ],
      },
    },
    {
      name: 'only-the-conformance-suite-lies',
      severity: 'error',
      comment: 'Messages are taken apart by the conformance suite only.',
      from: { path: '^src/', pathNot: '^src/conformance/' },
      to: { path: '^src/(share|mesh)/raw/' },
    },
    {
      name: 'nodes-do-not-know-the-development-chain',
      severity: 'error',
      comment: 'Nodes reach the development chain by its socket only.',
      from: { path: '^src/', pathNot: '^src/(cli|simulation|conformance|devchain)/' },
      to: { path: '^src/devchain/' },
    },
    {
      name: 'polkadot-api-lives-in-chain',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(chain|devchain)/' },
      // But for schnorrkel alone, with which signatures are checked.
      to: { path: 'node_modules/@polkadot/(?!wasm-crypto/)' },
    },
    {
      name: 'schnorrkel-lives-in-crypto',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/crypto/' },
      to: { path: 'node_modules/@polkadot/wasm-crypto/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'not-to-dev-dependencies',
      severity: 'error',
      from: { path: '^src' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
