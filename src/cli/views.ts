import type { Settings } from '../config/index.js'
import type { Logger } from '../domain/index.js'
import type { EnclaveNode, MeshMetrics } from '../node/index.js'

/** How a node is seen from outside, as its settings have it. */
interface Views {
  /** For the node's configuration. */
  readonly meshMetrics: MeshMetrics | undefined
  /**
   * @param print is given a line for each address.
   * @returns closes what was opened.
   * @throws SlotmeshError `web/cannot-listen`; nothing is open then.
   */
  open(node: EnclaveNode, logger: Logger, print: (line: string) => void): Promise<() => Promise<void>>
}

/** What is not asked for is not loaded. */
export async function prepareViews({ status, metrics }: Pick<Settings, 'status' | 'metrics'>): Promise<Views> {
  if (status.listen === undefined && metrics.listen === undefined) {
    return { meshMetrics: undefined, open: async () => async () => undefined }
  }
  const [{ createMetrics, serveMetrics }, { serveStatusPage }, { listenAddress }] = await Promise.all([
    import('../metrics/index.js'),
    import('../status-page/index.js'),
    import('../web/index.js'),
  ])
  const counted = metrics.listen === undefined ? undefined : createMetrics()
  return {
    meshMetrics: counted?.mesh,
    async open(node, logger, print) {
      const undo: (() => Promise<void> | void)[] = []
      const close = async () => {
        for (const step of undo.splice(0).reverse()) await step()
      }
      try {
        if (counted !== undefined && metrics.listen !== undefined) {
          undo.push(counted.watch(node))
          const served = await serveMetrics(counted, { listen: listenAddress(metrics.listen), names: metrics.names })
          undo.push(() => served.close())
          print(`metrics  ${served.url}`)
        }
        if (status.listen !== undefined) {
          const listen = listenAddress(status.listen)
          const served = await serveStatusPage({ node, listen, names: status.names, logger })
          undo.push(() => served.close())
          print(`status   ${served.url}`)
        }
        return close
      } catch (thrown) {
        await close()
        throw thrown
      }
    },
  }
}
