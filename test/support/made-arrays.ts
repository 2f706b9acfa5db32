/** The arrays of bytes that this process's own code, and its libraries, have made. */
export class MadeArrays {
  readonly #made: Uint8Array[] = []

  /** Keeps all that are made while `work` goes on, whoever else makes them; those of Node's own inside are not seen. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    const keep = <Made extends Uint8Array>(made: Made): Made => {
      this.#made.push(made)
      return made
    }
    const typedArray: { slice: Uint8Array['slice'] } = Object.getPrototypeOf(Uint8Array.prototype)
    const real = { Uint8Array: globalThis.Uint8Array, slice: typedArray.slice, encode: TextEncoder.prototype.encode }
    globalThis.Uint8Array = new Proxy(real.Uint8Array, {
      construct: (target, parameters, newTarget) => keep(Reflect.construct(target, parameters, newTarget)),
    })
    typedArray.slice = function (...parameters) {
      return keep(real.slice.apply(this, parameters))
    }
    TextEncoder.prototype.encode = function (...parameters) {
      return keep(real.encode.apply(this, parameters))
    }
    try {
      return await work()
    } finally {
      globalThis.Uint8Array = real.Uint8Array
      typedArray.slice = real.slice
      TextEncoder.prototype.encode = real.encode
    }
  }

  /** How many there were. */
  get count(): number {
    return this.#made.length
  }

  /**
   * Of these arrays, those that hold some bytes now, as numbers or text; two views of one memory count twice.
   *
   * @param but memory that may hold them.
   */
  holding(bytes: Uint8Array, but: readonly Uint8Array[] = []): Uint8Array[] {
    const allowed = new Set(but.map(({ buffer }) => buffer))
    return this.#made.filter((made) => {
      // Not all of its memory: Node's pool has other things in it.
      const isHeld = made instanceof Uint8Array && Buffer.from(made).includes(Buffer.from(bytes))
      return isHeld && !allowed.has(made.buffer)
    })
  }
}
