import type { Settings } from '../config/index.js'
import { SlotmeshError } from '../domain/index.js'
import type { EnclaveNodeConfig } from '../node/index.js'

/**
 * What the settings say of the client API; undefined where it is to be nowhere.
 *
 * @throws SlotmeshError `cli/bad-option` where only half of what belongs together is said.
 */
export function apiOf({ api }: Pick<Settings, 'api'>): EnclaveNodeConfig['api'] {
  const { listen, certificate, key, proxies, origins, ...limits } = api
  if ((certificate === undefined) !== (key === undefined)) {
    throw new SlotmeshError('cli/bad-option', 'Give both api.certificate and api.key, or neither.')
  }
  if (listen === undefined) {
    if (certificate === undefined) return undefined
    throw new SlotmeshError('cli/bad-option', 'Give api.listen (--api-listen) as well, such as 0.0.0.0:8443.')
  }
  return {
    listen,
    proxies,
    ...(certificate !== undefined && key !== undefined && { tls: { certificate, key } }),
    ...(origins && { origins }),
    limits,
  }
}
