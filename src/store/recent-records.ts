/** Bytes that are kept, of the values and as much for what they are kept under. */
const MOST_BYTES = 2_097_152

/** What is larger is seldom written again soon. */
const LARGEST_BYTES = 32_768

/** What keeping a record takes beside its value; bytes. */
const ENTRY_BYTES = 256

/**
 * What was written of late, as it is sealed: a page that was changed is likely to be changed again by the next write, and to ask
 * the database for it costs more than to open it. It is the enclave's own memory, and still compared with what is the newest.
 */
export class RecentRecords {
  /** By their names, as Latin-1 text; what was written or read last stands last. */
  readonly #records = new Map<string, Uint8Array>()
  #bytes = 0

  get(name: Uint8Array): Uint8Array | undefined {
    const text = textOf(name)
    const sealed = this.#records.get(text)
    if (sealed === undefined) return undefined
    this.#records.delete(text)
    this.#records.set(text, sealed)
    return sealed
  }

  /** To be called when a write has ended. @param sealed undefined where the record was deleted. */
  written(name: Uint8Array, sealed: Uint8Array | undefined): void {
    const text = textOf(name)
    this.#delete(text)
    if (sealed === undefined || sealed.length > LARGEST_BYTES) return
    this.#records.set(text, sealed)
    this.#bytes += sealed.length + ENTRY_BYTES
    for (const oldest of this.#records.keys()) {
      if (this.#bytes <= MOST_BYTES) break
      this.#delete(oldest)
    }
  }

  clear(): void {
    this.#records.clear()
    this.#bytes = 0
  }

  #delete(text: string): void {
    const former = this.#records.get(text)
    if (former === undefined) return
    this.#records.delete(text)
    this.#bytes -= former.length + ENTRY_BYTES
  }
}

function textOf(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1')
}
