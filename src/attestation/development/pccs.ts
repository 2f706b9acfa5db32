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

/** A provisioning certificate caching service for the development PKI. */
export interface SimulatedPccs {
  readonly url: string
  readonly faults: PccsFaults
  /** Paths that were asked for, with their queries, in order. */
  readonly requests: readonly string[]
  /** What is served from now on. */
  serve(collateral: { readonly sgx: QuoteCollateral; readonly tdx: QuoteCollateral }): void
  stop(): Promise<void>
}

/** Serves the development PKI's collateral on loopback in the shape of the real service (API v4). */
export async function startSimulatedPccs(collateral: {
  readonly sgx: QuoteCollateral
  readonly tdx: QuoteCollateral
}): Promise<SimulatedPccs> {
  let served = collateral
  const faults: PccsFaults = {}
  const requests: string[] = []

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? ''
    requests.push(path)
    if (faults.isSilent) return
    const found = answerOf(path, served)
    if (found === undefined || faults.status !== undefined) {
      response.writeHead(faults.status ?? 404).end()
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

function answerOf(
  path: string,
  { sgx, tdx }: { readonly sgx: QuoteCollateral; readonly tdx: QuoteCollateral },
): PccsAnswer | undefined {
  const { pathname, searchParams } = new URL(path, 'http://pccs')
  const [, technology, what] = /^\/(sgx|tdx)\/certification\/v4\/(.+)$/.exec(pathname) ?? []
  const of = technology === 'tdx' ? tdx : sgx
  switch (what) {
    case 'tcb': {
      const { fmspc }: { fmspc: string } = JSON.parse(of.tcb_info)
      if (searchParams.get('fmspc')?.toLowerCase() !== fmspc.toLowerCase()) return undefined
      return signed('tcbInfo', of.tcb_info, of.tcb_info_signature, 'TCB-Info-Issuer-Chain', of.tcb_info_issuer_chain)
    }
    case 'qe/identity': {
      const { qe_identity, qe_identity_signature, qe_identity_issuer_chain } = of
      const header = 'SGX-Enclave-Identity-Issuer-Chain'
      return signed('enclaveIdentity', qe_identity, qe_identity_signature, header, qe_identity_issuer_chain)
    }
    case 'pckcrl': {
      if (searchParams.get('ca') !== 'platform') return undefined
      return {
        headers: chain('SGX-PCK-CRL-Issuer-Chain', of.pck_crl_issuer_chain),
        body: Buffer.from(of.pck_crl, 'hex'),
      }
    }
    case 'rootcacrl':
      // A PCCS gives this one in digits.
      return { headers: {}, body: Buffer.from(of.root_ca_crl) }
    default:
      return undefined
  }
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
