import type { AccountId, ClusterId } from '../../domain/index.js'
import { type Call, ensureGovernance, type Handlers, signerOf } from './call.js'
import type { Execution } from './execution.js'
import type { Value } from './value.js'

const PALLET = 'TEE'

/** Operator and cluster of an assigned enclave, by the enclave's own account. */
export function seatOf(
  execution: Execution,
  enclave: AccountId,
): { operator: AccountId; cluster: ClusterId } | undefined {
  const operator = execution.get(PALLET, 'EnclaveAccountOperator', enclave)?.account()
  if (operator === undefined) return undefined
  const cluster = execution.get(PALLET, 'EnclaveClusterId', operator)?.number()
  return cluster === undefined ? undefined : { operator, cluster }
}

export const teeCalls: Handlers = {
  'TEE.register_enclave': (call) => {
    const { execution } = call
    const operatorAddress = signerOf(call)
    const enclaveAddress = call.argument('enclaveAddress').account()
    const apiUri = call.argument('apiUri')
    if (execution.get(PALLET, 'EnclaveRegistrations', operatorAddress) !== undefined) {
      execution.fail(PALLET, 'RegistrationAlreadyExists')
    }
    if (execution.get(PALLET, 'EnclaveData', operatorAddress) !== undefined) {
      execution.fail(PALLET, 'OperatorAlreadyExists')
    }
    ensureNewEnclave(execution, enclaveAddress)
    ensureUri(execution, apiUri)
    execution.put(PALLET, 'EnclaveRegistrations', [operatorAddress], { enclaveAddress, apiUri })
    execution.emit(PALLET, 'EnclaveAddedForRegistration', { operatorAddress, enclaveAddress, apiUri })
  },

  /** Withdraws a registration that was not assigned yet; an assigned enclave waits for the committee to remove it. */
  'TEE.unregister_enclave': (call) => {
    const { execution } = call
    const operatorAddress = signerOf(call)
    if (execution.get(PALLET, 'EnclaveRegistrations', operatorAddress) !== undefined) {
      execution.remove(PALLET, 'EnclaveRegistrations', operatorAddress)
      execution.emit(PALLET, 'RegistrationRemoved', { operatorAddress })
      return
    }
    if (execution.get(PALLET, 'EnclaveData', operatorAddress) === undefined) execution.fail(PALLET, 'EnclaveNotFound')
    const leaving = unregistrations(execution)
    if (leaving.includes(operatorAddress)) execution.fail(PALLET, 'UnregistrationAlreadyExists')
    execution.put(PALLET, 'EnclaveUnregistrations', [], [...leaving, operatorAddress])
    execution.emit(PALLET, 'MovedForUnregistration', { operatorAddress })
  },

  /** Changes a registration at once; for an assigned enclave it is a request that the committee applies. */
  'TEE.update_enclave': (call) => {
    const { execution } = call
    const operatorAddress = signerOf(call)
    const update = newEnclave(call)
    if (execution.get(PALLET, 'EnclaveRegistrations', operatorAddress) !== undefined) {
      execution.put(PALLET, 'EnclaveRegistrations', [operatorAddress], update)
    } else if (execution.get(PALLET, 'EnclaveData', operatorAddress) !== undefined) {
      execution.put(PALLET, 'EnclaveUpdates', [operatorAddress], update)
    } else {
      execution.fail(PALLET, 'EnclaveNotFound')
    }
    execution.emit(PALLET, 'UpdateRequestAdded', { operatorAddress })
    // What later versions of the pallet tell in its place.
    execution.emit(PALLET, 'MovedForUpdate', {
      operatorAddress,
      newEnclaveAddress: update.enclaveAddress,
      newApiUri: update.apiUri,
    })
  },

  'TEE.assign_enclave': (call) => {
    ensureGovernance(call)
    const { execution } = call
    const operatorAddress = call.argument('operatorAddress').account()
    const clusterId = call.argument('clusterId').number()
    const registration =
      execution.get(PALLET, 'EnclaveRegistrations', operatorAddress) ?? execution.fail(PALLET, 'RegistrationNotFound')
    const cluster = clusterOf(execution, clusterId)
    const enclaves = cluster.field('enclaves').items()
    const size = execution.codec.constant(PALLET, 'ClusterSize').number()
    if (enclaves.length >= size) execution.fail(PALLET, 'ClusterIsFull')
    let seat: unknown = operatorAddress
    if (call.hasArgument('slotId')) {
      const slot = call.argument('slotId').number()
      if (slot >= size) execution.fail(PALLET, 'SlotIdNotValid')
      if (enclaves.some((enclave) => enclave.items()[1]?.number() === slot)) execution.fail(PALLET, 'SlotIsTaken')
      seat = [operatorAddress, slot]
    }
    const enclave = registration.field('enclaveAddress').account()
    execution.put(PALLET, 'ClusterData', [clusterId], cluster.with({ enclaves: [...enclaves, seat] }))
    execution.put(PALLET, 'EnclaveData', [operatorAddress], registration)
    execution.put(PALLET, 'EnclaveAccountOperator', [enclave], operatorAddress)
    execution.put(PALLET, 'EnclaveClusterId', [operatorAddress], clusterId)
    execution.remove(PALLET, 'EnclaveRegistrations', operatorAddress)
    execution.emit(PALLET, 'EnclaveAssigned', { operatorAddress, clusterId })
  },

  /** Removes an enclave whose operator asked for it. */
  'TEE.remove_enclave': (call) => {
    ensureGovernance(call)
    const operator = call.argument('operatorAddress').account()
    if (!unregistrations(call.execution).includes(operator)) call.execution.fail(PALLET, 'UnregistrationNotFound')
    removeEnclave(call.execution, operator)
  },

  'TEE.force_remove_enclave': (call) => {
    ensureGovernance(call)
    removeEnclave(call.execution, call.argument('operatorAddress').account())
  },

  'TEE.force_update_enclave': (call) => {
    ensureGovernance(call)
    const { execution } = call
    const operatorAddress = call.argument('operatorAddress').account()
    const old = execution.get(PALLET, 'EnclaveData', operatorAddress) ?? execution.fail(PALLET, 'EnclaveNotFound')
    const update = newEnclave(call, old)
    execution.remove(PALLET, 'EnclaveAccountOperator', old.field('enclaveAddress').account())
    execution.put(PALLET, 'EnclaveAccountOperator', [update.enclaveAddress], operatorAddress)
    execution.put(PALLET, 'EnclaveData', [operatorAddress], update)
    execution.remove(PALLET, 'EnclaveUpdates', operatorAddress)
    const hasOwnEvent = execution.codec.hasEvent(PALLET, 'EnclaveForceUpdated')
    execution.emit(PALLET, hasOwnEvent ? 'EnclaveForceUpdated' : 'EnclaveUpdated', {
      operatorAddress,
      newEnclaveAddress: update.enclaveAddress,
      newApiUri: update.apiUri,
    })
  },

  'TEE.create_cluster': (call) => {
    ensureGovernance(call)
    const { execution } = call
    const clusterId = execution.value(PALLET, 'NextClusterId').number()
    const type = call.hasArgument('clusterType') ? { clusterType: call.argument('clusterType') } : {}
    execution.put(PALLET, 'ClusterData', [clusterId], { enclaves: [], ...type })
    execution.put(PALLET, 'NextClusterId', [], clusterId + 1)
    execution.emit(PALLET, 'ClusterAdded', { clusterId, ...type })
  },

  'TEE.update_cluster': (call) => {
    ensureGovernance(call)
    const clusterId = call.argument('clusterId').number()
    const clusterType = call.argument('clusterType')
    const cluster = clusterOf(call.execution, clusterId)
    call.execution.put(PALLET, 'ClusterData', [clusterId], cluster.with({ clusterType }))
    call.execution.emit(PALLET, 'ClusterUpdated', { clusterId, clusterType })
  },

  'TEE.register_metrics_server': (call) => {
    ensureGovernance(call)
    const { execution } = call
    const metricsServer = call.argument('metricsServer')
    const address = metricsServer.field('metricsServerAddress').account()
    const servers = execution.value(PALLET, 'MetricsServers').items()
    if (servers.some((server) => server.field('metricsServerAddress').account() === address)) {
      execution.fail(PALLET, 'MetricsServerAlreadyExists')
    }
    execution.put(PALLET, 'MetricsServers', [], [...servers, metricsServer])
    execution.emit(PALLET, 'MetricsServerAdded', { metricsServer })
  },

  'TEE.remove_cluster': (call) => {
    ensureGovernance(call)
    const { execution } = call
    const clusterId = call.argument('clusterId').number()
    if (clusterOf(execution, clusterId).field('enclaves').items().length > 0) {
      execution.fail(PALLET, 'ClusterIsNotEmpty')
    }
    execution.remove(PALLET, 'ClusterData', clusterId)
    execution.emit(PALLET, 'ClusterRemoved', { clusterId })
  },
}

function clusterOf(execution: Execution, id: ClusterId): Value {
  return execution.get(PALLET, 'ClusterData', id) ?? execution.fail(PALLET, 'ClusterNotFound')
}

function unregistrations(execution: Execution): AccountId[] {
  return execution
    .value(PALLET, 'EnclaveUnregistrations')
    .items()
    .map((operator) => operator.account())
}

/** Where slots are positions, those behind the removed enclave move up by one. */
function removeEnclave(execution: Execution, operatorAddress: AccountId): void {
  const enclave = execution.get(PALLET, 'EnclaveData', operatorAddress) ?? execution.fail(PALLET, 'EnclaveNotFound')
  const clusterId = execution.value(PALLET, 'EnclaveClusterId', operatorAddress).number()
  const cluster = clusterOf(execution, clusterId)
  const enclaves = cluster
    .field('enclaves')
    .items()
    .filter((seat) => (seat.isList() ? seat.items()[0] : seat)?.account() !== operatorAddress)
  execution.put(PALLET, 'ClusterData', [clusterId], cluster.with({ enclaves }))
  execution.put(
    PALLET,
    'EnclaveUnregistrations',
    [],
    unregistrations(execution).filter((operator) => operator !== operatorAddress),
  )
  execution.remove(PALLET, 'EnclaveAccountOperator', enclave.field('enclaveAddress').account())
  execution.remove(PALLET, 'EnclaveClusterId', operatorAddress)
  execution.remove(PALLET, 'EnclaveUpdates', operatorAddress)
  execution.remove(PALLET, 'EnclaveData', operatorAddress)
  execution.emit(PALLET, 'EnclaveRemoved', { operatorAddress })
}

/** The `new_…` arguments, checked; keeping the `old` account is no conflict, and what is not given stays as it is. */
function newEnclave(call: Call, old?: Value): { enclaveAddress: AccountId; apiUri: Value } {
  const previous = old?.field('enclaveAddress').account()
  const enclaveAddress = call.argument('newEnclaveAddress').present()?.account() ?? previous
  const apiUri = call.argument('newApiUri').present() ?? old?.field('apiUri')
  if (enclaveAddress === undefined || apiUri === undefined) call.execution.fail(PALLET, 'NoUpdatesProvided')
  if (enclaveAddress !== previous) ensureNewEnclave(call.execution, enclaveAddress)
  ensureUri(call.execution, apiUri)
  return { enclaveAddress, apiUri }
}

function ensureNewEnclave(execution: Execution, enclave: AccountId): void {
  if (execution.get(PALLET, 'EnclaveAccountOperator', enclave) !== undefined) {
    execution.fail(PALLET, 'EnclaveAddressAlreadyExists')
  }
}

function ensureUri(execution: Execution, uri: Value): void {
  if (uri.bytes().length > execution.codec.constant(PALLET, 'MaxUriLen').number()) execution.fail(PALLET, 'UriTooLong')
}
