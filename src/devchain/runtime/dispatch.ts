import type { GenericCall } from '@polkadot/types'
import { type Logger, messageOf, SlotmeshError } from '../../domain/index.js'
import { balancesCalls } from './balances.js'
import type { Handlers } from './call.js'
import { committeeCalls } from './committee.js'
import type { Execution, Origin } from './execution.js'
import { DispatchFailure } from './failure.js'
import { nftCalls } from './nft.js'
import { rentCalls } from './rent.js'
import { systemCalls } from './system.js'
import { teeCalls } from './tee.js'
import { utilityCalls } from './utility.js'

const HANDLERS: Handlers = {
  ...systemCalls,
  ...balancesCalls,
  ...committeeCalls,
  ...utilityCalls,
  ...nftCalls,
  ...rentCalls,
  ...teeCalls,
}

/** Carries out a call; when it fails, what it did is undone and the failure returned. */
export function dispatch(
  execution: Execution,
  call: GenericCall,
  origin: Origin,
  logger: Logger,
): DispatchFailure | undefined {
  try {
    execution.transaction(() => carryOut(execution, call, origin))
    return undefined
  } catch (thrown) {
    if (thrown instanceof DispatchFailure) return thrown
    // The metadata that is served has another shape than a pallet here expects; the chain itself must go on.
    logger.error('A call could not be carried out', { reason: messageOf(thrown) })
    return new DispatchFailure({ Other: null })
  }
}

function carryOut(execution: Execution, call: GenericCall, origin: Origin): void {
  const { name, args } = execution.codec.describeCall(call)
  const handler = HANDLERS[name]
  // As a runtime answers whose filter lets only some calls through.
  if (handler === undefined) execution.fail('System', 'CallFiltered')
  handler({
    execution,
    origin,
    hasArgument: (argument) => args.has(argument),
    argument: (argument) => {
      const value = args.get(argument)
      if (value !== undefined) return value
      throw new SlotmeshError('devchain/missing-in-metadata', `The metadata's ${name} has no argument ${argument}.`)
    },
    dispatch: (inner, innerOrigin) => carryOut(execution, inner.call(), innerOrigin),
  })
}
