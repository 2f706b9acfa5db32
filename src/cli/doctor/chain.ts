import type { Settings } from '../../config/index.js'
import { bounded, messageOf, SlotmeshError, silentLogger } from '../../domain/index.js'
import { type Finding, fails, warns, well } from './finding.js'

/** A token of 20 blocks goes by blocks; certificates and collateral go by the clock. In ms. */
const CLOCK = { warnsAt: 30_000, failsAt: 300_000 } as const

const TIMEOUT_MS = 15_000

/** Each endpoint by itself, and the clock against the chain's. @returns the latest final block, where one answered. */
export async function lookAtChain(
  { chain }: Settings,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): Promise<{ readonly findings: Finding[]; readonly block: number | undefined }> {
  const { endpoints = [], genesisHash, connectTimeoutMs } = chain
  if (endpoints.length === 0) {
    return {
      findings: [fails('chain', 'no address of a chain is known', 'Say by chain.endpoints where its nodes are.')],
      block: undefined,
    }
  }
  const findings: Finding[] = []
  let block: number | undefined
  let skew: number | undefined
  const failed: { readonly url: string; readonly reason: string }[] = []
  const { connectChain } = await import('../../chain/index.js')
  for (const url of endpoints) {
    signal.throwIfAborted()
    try {
      const connected = await connectChain({
        endpoints: [url],
        connectTimeoutMs: Math.min(connectTimeoutMs, TIMEOUT_MS),
        ...(genesisHash !== undefined && { expectedGenesis: genesisHash }),
        logger: silentLogger,
      })
      try {
        const { number } = connected.finalised()
        const time = await bounded({ signals: [signal], timeoutMs: TIMEOUT_MS }, (limit) =>
          connected.time({ signal: limit }),
        )
        block ??= number
        if (time !== undefined) skew ??= now() - time
        findings.push(
          well(
            'chain',
            `${url} has the NFT and TEE pallets (generation ${connected.generation}), final block ${number}`,
          ),
        )
      } finally {
        await connected.close()
      }
    } catch (thrown) {
      signal.throwIfAborted()
      failed.push({ url, reason: thrown instanceof SlotmeshError ? thrown.message : messageOf(thrown) })
    }
  }
  const isLost = failed.length === endpoints.length
  for (const { url, reason } of failed) {
    const mend = `Look at that node, or correct chain.endpoints; slotmesh registry --chain ${url} shows when it is mended.`
    findings.push((isLost ? fails : warns)('chain', `${url}: ${reason}`, mend))
  }
  if (block !== undefined) findings.push(lookAtClock(skew))
  return { findings, block }
}

/** A final block is some blocks old, so that a clock that is right is a little ahead. */
function lookAtClock(skew: number | undefined): Finding {
  if (skew === undefined) {
    return warns('clock', 'the chain has not said the time yet', 'Ask again when a block after the first is final.')
  }
  const seconds = Math.round(Math.abs(skew) / 1_000)
  const seen = `the clock is ${seconds} s ${skew < 0 ? 'behind' : 'ahead of'} the latest final block`
  if (skew >= -CLOCK.warnsAt && skew <= CLOCK.failsAt) return well('clock', seen)
  const mend = 'Have NTP set the clock (timedatectl set-ntp true); if it is right, the chain stands still.'
  return (skew < -CLOCK.failsAt ? fails : warns)('clock', seen, mend)
}
