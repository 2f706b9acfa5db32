import { blake2AsHex } from '@polkadot/util-crypto'
import type { AccountId } from '../../domain/index.js'
import { attempt, type Call, type Handlers, signerOf } from './call.js'
import type { Origin } from './execution.js'

const PALLET = 'TechnicalCommittee'

/** A committee in which any single member decides: motions that would need a vote are refused. */
export const committeeCalls: Handlers = {
  'TechnicalCommittee.execute': (call) => {
    carryOut(call, { kind: 'member', account: ensureMember(call) }, 'MemberExecuted')
  },
  'TechnicalCommittee.propose': (call) => {
    ensureMember(call)
    if (call.argument('threshold').number() > 1) call.execution.fail(PALLET, 'TooManyProposals')
    carryOut(call, { kind: 'committee' }, 'Executed')
  },
}

function ensureMember(call: Call): AccountId {
  const signer = signerOf(call)
  const members = call.execution.value(PALLET, 'Members').items()
  if (!members.some((member) => member.account() === signer)) call.execution.fail(PALLET, 'NotMember')
  return signer
}

/** The proposal's failure is reported in the event; the committee's own call succeeds all the same. */
function carryOut(call: Call, origin: Origin, event: string): void {
  const { execution } = call
  const proposal = call.argument('proposal')
  const encoded = proposal.codec.toU8a()
  if (encoded.length > call.argument('lengthBound').number()) execution.fail(PALLET, 'WrongProposalLength')
  const failure = attempt(call, proposal, origin)
  execution.emit(PALLET, event, {
    proposalHash: blake2AsHex(encoded),
    result: failure === undefined ? { Ok: null } : { Err: failure },
  })
}
