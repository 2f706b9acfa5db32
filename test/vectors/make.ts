import { readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { exchangeVectors } from './exchange.js'
import { challengeVectors, helloVectors, requestVectors } from './handshake.js'
import { listVectors } from './lists.js'
import { framingVectors, messageVectors } from './messages.js'
import { provenanceVectors, rangeProofVectors, replicaVectors } from './provenance.js'
import { receivingVectors } from './receiving.js'
import { answerVectors, fingerprintVectors, sessionVectors } from './reconcile.js'
import { recordVectors } from './records.js'
import { registryVectors, tokenVectors } from './rights.js'
import { sealingVectors } from './sealing.js'
import { toJson } from './tools.js'
import { bindingVectors, transcriptVectors } from './transcript.js'

/** Who makes which file of test vectors, from nothing but the specification. */
export const VECTOR_FILES = {
  'enclave-record/1/vectors/records.json': recordVectors,
  'reconcile/1/vectors/answers.json': answerVectors,
  'reconcile/1/vectors/fingerprints.json': fingerprintVectors,
  'reconcile/1/vectors/sessions.json': sessionVectors,
  'share/1/vectors/bindings.json': bindingVectors,
  'share/1/vectors/challenge.json': challengeVectors,
  'share/1/vectors/exchange.json': exchangeVectors,
  'share/1/vectors/framing.json': framingVectors,
  'share/1/vectors/hello.json': helloVectors,
  'share/1/vectors/lists.json': listVectors,
  'share/1/vectors/messages.json': messageVectors,
  'share/1/vectors/provenance.json': provenanceVectors,
  'share/1/vectors/range-proofs.json': rangeProofVectors,
  'share/1/vectors/replicas.json': replicaVectors,
  'share/1/vectors/receiving.json': receivingVectors,
  'share/1/vectors/registry.json': registryVectors,
  'share/1/vectors/request.json': requestVectors,
  'share/1/vectors/sealing.json': sealingVectors,
  'share/1/vectors/tokens.json': tokenVectors,
  'share/1/vectors/transcript.json': transcriptVectors,
} as const

export type VectorFile = keyof typeof VECTOR_FILES

export function pathOf(file: VectorFile): string {
  return `protocols/${file}`
}

/** The files that are not as they would be made now. */
export async function outdated(): Promise<VectorFile[]> {
  const files: VectorFile[] = []
  for (const [file, json] of await all()) {
    if (!isDeepStrictEqual(JSON.parse(readFileSync(pathOf(file), 'utf8')), JSON.parse(json))) files.push(file)
  }
  return files
}

async function all(): Promise<[VectorFile, string][]> {
  const made: [VectorFile, string][] = []
  for (const file of Object.keys(VECTOR_FILES) as VectorFile[]) {
    made.push([file, `${JSON.stringify(toJson(await VECTOR_FILES[file]()), null, 2)}\n`])
  }
  return made
}

if (process.argv[1]?.endsWith('vectors/make.js')) {
  if (process.argv.includes('--check')) {
    const files = await outdated()
    if (files.length > 0) throw new Error(`Run npm run vectors: ${files.join(', ')} would change.`)
  } else {
    for (const [file, json] of await all()) writeFileSync(pathOf(file), json)
  }
}
