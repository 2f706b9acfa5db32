import { derElement } from '../der.js'
import * as x509 from '../x509.js'

/** Intel's arc for SGX certificate extensions. */
const SGX = '1.2.840.113741.1.13.1'

export interface SgxPlatform {
  /** 16 bytes. */
  readonly ppid: Uint8Array
  /** 16 bytes; the component SVNs. */
  readonly cpuSvn: Uint8Array
  readonly pceSvn: number
  /** 2 bytes. */
  readonly pceId: Uint8Array
  /** 6 bytes. */
  readonly fmspc: Uint8Array
  /** 16 bytes. */
  readonly platformInstanceId: Uint8Array
}

/** The SGX extension of a PCK certificate: "Intel SGX PCK Certificate and CRL Profile Specification", 1.3.5. */
export function sgxExtension(platform: SgxPlatform): x509.Extension {
  const components = Array.from(platform.cpuSvn, (svn, at) => field(`2.${at + 1}`, integer(svn)))
  const fields = [
    field('1', octets(platform.ppid)),
    field(
      '2',
      sequence([...components, field('2.17', integer(platform.pceSvn)), field('2.18', octets(platform.cpuSvn))]),
    ),
    field('3', octets(platform.pceId)),
    field('4', octets(platform.fmspc)),
    field('5', derElement(0x0a, Uint8Array.of(SCALABLE))),
    field('6', octets(platform.platformInstanceId)),
    field('7', sequence(['7.1', '7.2', '7.3'].map((flag) => field(flag, derElement(0x01, Uint8Array.of(0xff)))))),
  ]
  return new x509.Extension(SGX, false, sequence(fields))
}

/** The SGX type of multi-package platforms, which are those with a platform CA. */
const SCALABLE = 1

function field(path: string, value: Uint8Array): Uint8Array {
  return sequence([objectIdentifier(`${SGX}.${path}`), value])
}

function sequence(elements: readonly Uint8Array[]): Uint8Array {
  return derElement(0x30, ...elements)
}

function octets(bytes: Uint8Array): Uint8Array {
  return derElement(0x04, bytes)
}

/** A non-negative INTEGER below 2^15. */
function integer(value: number): Uint8Array {
  return derElement(0x02, value < 0x80 ? Uint8Array.of(value) : Uint8Array.of(value >> 8, value & 0xff))
}

function objectIdentifier(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const base128 = (value: number): number[] => {
    const digits = [value & 0x7f]
    for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
    return digits
  }
  return derElement(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]))
}
