import type { Stream } from '@libp2p/interface'
import { InvalidDataLengthLengthError, lpStream } from '@libp2p/utils'
import { decode as decodeVarint, encodingLength } from 'uint8-varint'

/** Frames of at most so many bytes behind their lengths; a length prefix that is too long is refused before it is waited for. */
export function framesOf(stream: Stream, longest: number) {
  const lengthBytes = encodingLength(longest)
  return lpStream(stream, {
    maxDataLength: longest,
    maxBufferSize: longest + lengthBytes,
    lengthDecoder: (bytes) => {
      if (bytes.byteLength > lengthBytes) throw new InvalidDataLengthLengthError('The length prefix is too long')
      return decodeVarint(bytes)
    },
  })
}
