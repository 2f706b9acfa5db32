import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { QuoteCollateral } from '../collateral.js'

/** What a simulated PCCS can do wrong. */
export interface PccsFaults {
  /** Answers with this status in place of 200. */
  status?: number
  /** Takes requests, and never answers. */
  isSilent?: boolean
  /** Changes an answer. */
  rewrite?: (path: string, answer: PccsAnswer) => PccsAnswer
}

export interface PccsAnswer {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** By technology. */
interface Publications {
  readonly sgx: QuoteCollateral
  readonly tdx: QuoteCollateral
}

/** What a simulated PCCS has. */
export interface ServedCollateral extends Publications {
  /** What is given for `update=early`: of a later round, if Intel is between two. The same when absent. */
  readonly early?: Publications
}

/** A provisioning certificate caching service for the development PKI. */
export interface SimulatedPccs {
  readonly url: string
  readonly faults: PccsFaults
  /** Paths that were asked for, with their queries, in order. */
  readonly requests: readonly string[]
  /** What is served from now on. */
  serve(collateral: ServedCollateral): void
  stop(): Promise<void>
}

/** Serves the development PKI's collateral on loopback in the shape of the real service (API v4). */
export async function startSimulatedPccs(collateral: ServedCollateral): Promise<SimulatedPccs> {
  let served = collateral
  const faults: PccsFaults = {}
  const requests: string[] = []

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? ''
    requests.push(path)
    if (faults.isSilent) return
    const found = answerOf(path, served)
    if (typeof found === 'number' || faults.status !== undefined) {
      response.writeHead(faults.status ?? Number(found)).end()
      return
    }
    const { headers, body } = faults.rewrite?.(path, found) ?? found
    response.writeHead(200, headers).end(body)
  }

  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    requests,
    serve(fresh) {
      served = fresh
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** @returns a status where there is no answer. */
function answerOf(path: string, served: ServedCollateral): PccsAnswer | number {
  const { pathname, searchParams } = new URL(path, 'http://pccs')
  const [, technology, what] = /^\/(sgx|tdx)\/certification\/v4\/(.+)$/.exec(pathname) ?? []
  const tee = technology === 'tdx' ? 'tdx' : 'sgx'
  const of = served[tee]
  const rounds = [of, (served.early ?? served)[tee]] as const
  switch (what) {
    case 'tcb': {
      const found = ofRound(searchParams, rounds, 'tcb_info')
      if (typeof found === 'number') return found
      const { fmspc }: { fmspc: string } = JSON.parse(found.tcb_info)
      if (searchParams.get('fmspc')?.toLowerCase() !== fmspc.toLowerCase()) return 404
      const { tcb_info, tcb_info_signature, tcb_info_issuer_chain } = found
      return signed('tcbInfo', tcb_info, tcb_info_signature, 'TCB-Info-Issuer-Chain', tcb_info_issuer_chain)
    }
    case 'qe/identity': {
      const found = ofRound(searchParams, rounds, 'qe_identity')
      if (typeof found === 'number') return found
      const { qe_identity, qe_identity_signature, qe_identity_issuer_chain } = found
      const header = 'SGX-Enclave-Identity-Issuer-Chain'
      return signed('enclaveIdentity', qe_identity, qe_identity_signature, header, qe_identity_issuer_chain)
    }
    case 'pckcrl': {
      if (searchParams.get('ca') !== 'platform') return 404
      return {
        headers: chain('SGX-PCK-CRL-Issuer-Chain', of.pck_crl_issuer_chain),
        body: Buffer.from(of.pck_crl, 'hex'),
      }
    }
    case 'rootcacrl':
      // A PCCS gives this one in digits.
      return { headers: {}, body: Buffer.from(of.root_ca_crl) }
    default:
      return 404
  }
}

/** `update` is `standard` by default, and cannot be given together with `tcbEvaluationDataNumber`. */
function ofRound(
  query: URLSearchParams,
  [standard, early]: readonly [QuoteCollateral, QuoteCollateral],
  part: 'tcb_info' | 'qe_identity',
): QuoteCollateral | number {
  const [update, round] = [query.get('update'), query.get('tcbEvaluationDataNumber')]
  if (round === null && update === 'early') return early
  if (round === null) return update === null || update === 'standard' ? standard : 400
  if (update !== null || !/^\d+$/.test(round)) return 400
  return [standard, early].find((one) => JSON.parse(one[part]).tcbEvaluationDataNumber === Number(round)) ?? 404
}

function signed(name: string, text: string, signature: string, header: string, issuers: string): PccsAnswer {
  return {
    headers: { 'content-type': 'application/json', ...chain(header, issuers) },
    body: Buffer.from(`{"${name}":${text},"signature":"${signature}"}`),
  }
}

function chain(header: string, pem: string): Record<string, string> {
  return { [header]: encodeURIComponent(pem) }
}
