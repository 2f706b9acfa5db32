import { blake2AsHex } from '@polkadot/util-crypto'
import type { AccountId } from '../../domain/index.js'
import { type Call, type Handlers, signerOf } from './call.js'
import type { Origin } from './execution.js'
import { DispatchFailure } from './failure.js'

const PALLET = 'TechnicalCommittee'

/** A committee in which any single member decides: motions that would need a vote are refused. */
export const committeeCalls: Handlers = {
  'TechnicalCommittee.execute': (call) => {
    const { member } = ensureMember(call)
    carryOut(call, { kind: 'member', account: member }, 'MemberExecuted')
  },
  'TechnicalCommittee.propose': (call) => {
    const { members } = ensureMember(call)
    if (call.argument('threshold').number() > 1) call.execution.fail(PALLET, 'TooManyProposals')
    carryOut(call, { kind: 'committee', agreed: 1, members }, 'Executed')
  },
}

function ensureMember(call: Call): { member: AccountId; members: number } {
  const member = signerOf(call)
  const members = call.execution.value(PALLET, 'Members').items()
  if (!members.some((candidate) => candidate.account() === member)) call.execution.fail(PALLET, 'NotMember')
  return { member, members: members.length }
}

/** The proposal's failure is reported in the event; the committee's own call succeeds all the same. */
function carryOut(call: Call, origin: Origin, event: string): void {
  const { execution } = call
  const proposal = call.argument('proposal')
  const encoded = proposal.codec.toU8a()
  if (encoded.length > call.argument('lengthBound').number()) execution.fail(PALLET, 'WrongProposalLength')
  let result: object = { Ok: null }
  try {
    execution.transaction(() => call.dispatch(proposal, origin))
  } catch (thrown) {
    if (!(thrown instanceof DispatchFailure)) throw thrown
    result = { Err: thrown }
  }
  execution.emit(PALLET, event, { proposalHash: blake2AsHex(encoded), result })
}
