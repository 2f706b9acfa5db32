/** Where an enclave gets quotes about itself from. */
export interface QuoteSource {
  /** A simulated quote proves nothing: its key is anyone's who knows the development seed. */
  readonly kind: 'simulated' | 'sgx' | 'tdx'

  /**
   * A fresh quote over `reportData`, exactly 64 bytes.
   *
   * @throws RangeError when `reportData` has another length; QuoteSourceError when the machine fails; the signal's
   * reason when it aborts.
   */
  quote(reportData: Uint8Array, options: { signal: AbortSignal }): Promise<Uint8Array>
}
