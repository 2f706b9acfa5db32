import type { AccountId } from '../../domain/index.js'
import { type Call, type Handlers, signerOf } from './call.js'
import type { Execution } from './execution.js'
import { DispatchFailure } from './failure.js'

type Liveness = 'keep alive' | 'allow death'

export function freeBalance(execution: Execution, account: AccountId): bigint {
  return execution.value('System', 'Account', account).field('data').field('free').bigint()
}

export function existentialDeposit(execution: Execution): bigint {
  return execution.codec.constant('Balances', 'ExistentialDeposit').bigint()
}

/** Creates money: for genesis. */
export function endow(execution: Execution, account: AccountId, amount: bigint): void {
  setFree(execution, account, freeBalance(execution, account) + amount)
  changeIssuance(execution, amount)
}

/** Takes a fee; what is taken is destroyed. */
export function withdraw(execution: Execution, account: AccountId, amount: bigint): void {
  if (amount === 0n) return
  debit(execution, account, amount, 'keep alive')
  changeIssuance(execution, -amount)
  execution.emit('Balances', 'Withdraw', { who: account, amount })
}

export const balancesCalls: Handlers = {
  'Balances.transfer_allow_death': (call) => transfer(call, 'allow death'),
  'Balances.transfer_keep_alive': (call) => transfer(call, 'keep alive'),
}

function transfer(call: Call, liveness: Liveness): void {
  const { execution } = call
  const from = signerOf(call)
  const to = call.argument('dest').account()
  const amount = call.argument('value').bigint()
  if (from !== to && amount > 0n) {
    const received = freeBalance(execution, to) + amount
    if (received < existentialDeposit(execution)) throw new DispatchFailure({ Token: 'BelowMinimum' })
    debit(execution, from, amount, liveness)
    setFree(execution, to, received)
  }
  execution.emit('Balances', 'Transfer', { from, to, amount })
}

function debit(execution: Execution, account: AccountId, amount: bigint, liveness: Liveness): void {
  const left = freeBalance(execution, account) - amount
  if (left < 0n) throw new DispatchFailure({ Token: 'FundsUnavailable' })
  const dies = left < existentialDeposit(execution)
  if (dies && liveness === 'keep alive') throw new DispatchFailure({ Token: 'NotExpendable' })
  setFree(execution, account, left)
}

/** An account exists while it holds at least the existential deposit; what remains below that is dust and is lost. */
function setFree(execution: Execution, account: AccountId, free: bigint): void {
  const info = execution.value('System', 'Account', account)
  const existed = info.field('providers').number() > 0
  if (free >= existentialDeposit(execution)) {
    const data = info.field('data').with({ free })
    execution.put('System', 'Account', [account], info.with({ data, ...(existed ? {} : { providers: 1 }) }))
    if (existed) return
    execution.emit('System', 'NewAccount', { account })
    execution.emit('Balances', 'Endowed', { account, freeBalance: free })
    return
  }
  execution.remove('System', 'Account', account)
  if (!existed) return
  execution.emit('System', 'KilledAccount', { account })
  if (free === 0n) return
  changeIssuance(execution, -free)
  execution.emit('Balances', 'DustLost', { account, amount: free })
}

function changeIssuance(execution: Execution, by: bigint): void {
  execution.put('Balances', 'TotalIssuance', [], execution.value('Balances', 'TotalIssuance').bigint() + by)
}
