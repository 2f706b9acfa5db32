import type { Command } from 'commander'

/** What one would type, by the command's name. Those with more to say about theirs say it themselves. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  simulate: ['slotmesh simulate --list', 'slotmesh simulate --scenario power-cut --ui'],
  'simulate chaos': ['slotmesh simulate chaos --minutes 5 --mode discrete'],
  'simulate scale': ['slotmesh simulate scale --clusters 5,50'],
  'simulate show': ['slotmesh simulate show slotmesh-runs/RUN.run.jsonl'],
  'simulate report': ['slotmesh simulate report slotmesh-runs/RUN.run.jsonl'],
  'simulate compare': ['slotmesh simulate compare ONE.run.jsonl OTHER.run.jsonl'],
  devchain: ['slotmesh devchain', 'slotmesh devchain --instant --folder my-chain'],
  'devchain seat': [
    'slotmesh devchain seat http://127.0.0.1:8100 http://127.0.0.1:8101',
    'slotmesh devchain seat --cluster 0 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  ],
  'devchain mint': ['slotmesh devchain mint --seed-file owner.seed --kind capsule'],
  'attest policy': ['slotmesh attest policy --config node-a/slotmesh.yaml'],
  'attest quote': ['slotmesh attest quote --config node-a/slotmesh.yaml --out quote.bin'],
  store: ['slotmesh store --chain ws://127.0.0.1:9944 --nft 7 --cluster 0 --seed-file owner.seed < key.pem'],
  retrieve: ['slotmesh retrieve --chain ws://127.0.0.1:9944 --nft 7 --seed-file owner.seed > key.pem'],
  reseal: ['slotmesh reseal --config node-a/slotmesh.yaml --to file:/run/secrets/new.key'],
  conformance: ['slotmesh conformance --list', 'slotmesh conformance --command "my-enclave {file}"'],
  'config schema': ['slotmesh config schema > slotmesh.schema.json'],
  'config example': ['slotmesh config example > node.yaml'],
  'config reference': ['slotmesh config reference'],
}

const PROGRAM = `
A node in three commands, beside a chain (slotmesh devchain is one to try things on):
  slotmesh init node-a --chain ws://127.0.0.1:9944 …   makes it, and says what to register on chain
  slotmesh join --config node-a/slotmesh.yaml          runs it
  slotmesh status --config node-a/slotmesh.yaml        asks it how it is; slotmesh doctor says what is wrong

Each command has examples: slotmesh init --help.`

/** Has the help of each command end with what one would type. */
export function addExamples(program: Command): void {
  program.addHelpText('after', PROGRAM)
  for (const command of program.commands) addTo(command, command.name())
}

function addTo(command: Command, path: string): void {
  const examples = EXAMPLES[path]
  if (examples !== undefined) {
    const head = examples.length === 1 ? 'Example:' : 'Examples:'
    command.addHelpText('after', ['', head, ...examples.map((example) => `  ${example}`)].join('\n'))
  }
  for (const below of command.commands) addTo(below, `${path} ${below.name()}`)
}
