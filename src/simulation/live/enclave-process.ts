/*
 * The entry of an operating-system process that runs one enclave and takes its orders from the simulation. It exists
 * so that an enclave can be killed the hard way.
 */
import { createDevelopmentPki } from '../../attestation/development/index.js'
import { messageOf, SlotmeshError } from '../../domain/index.js'
import { createEnclave, type EnclaveHandle } from './enclave.js'
import type { EnclaveCall, EnclaveMethod, EnclaveMethods, EnclaveReply } from './enclave-messages.js'

let enclave: EnclaveHandle | undefined

const methods: EnclaveMethods = {
  create: async (spec) => {
    enclave = await createEnclave(spec, await createDevelopmentPki({ seed: spec.pkiSeed }))
    enclave.subscribe((event) => reply({ event }))
    return { account: enclave.account, peerId: enclave.peerId }
  },
  start: () => created().start(),
  stop: () => created().stop(),
  status: () => created().status(),
  heldShares: () => created().heldShares(),
  shape: (links) => created().shape(links),
  disconnect: () => created().disconnect(),
  storeShare: (kind, request) => created().storeShare(kind, request, { signal: parentGone.signal }),
  retrieveShare: (kind, request) => created().retrieveShare(kind, request, { signal: parentGone.signal }),
}

const parentGone = new AbortController()

function created(): EnclaveHandle {
  if (enclave === undefined) throw new SlotmeshError('simulation/enclave-not-created', 'Create the enclave first.')
  return enclave
}

function reply(message: EnclaveReply): void {
  process.send?.(message)
}

async function answer<Method extends EnclaveMethod>({ id, method, parameters }: EnclaveCall<Method>): Promise<void> {
  const call: EnclaveMethods[Method] = methods[method]
  try {
    reply({ id, result: await call(...parameters) })
  } catch (error) {
    const code = error instanceof SlotmeshError ? error.code : 'simulation/enclave-failed'
    reply({ id, error: { code, message: messageOf(error) } })
  }
}

process.on('message', (call: EnclaveCall) => void answer(call))
// The simulation's end, however it came, is this process's end, too.
process.on('disconnect', () => process.exit(0))
// Ctrl-C reaches every process of the terminal; the simulation decides when its enclaves stop.
process.on('SIGINT', () => undefined)
