/**
 * Where the frames of one direction of a WebSocket end (RFC 6455 §5.2), as its bytes go by: what they
 * carry is not looked at. Pure: no clock, no I/O.
 */

export interface Frames {
  /**
   * Reads on, with `untilBoundary` as far as the end of the frame under way. Returns the bytes it has
   * read; where that was none, it stands at a boundary already or the chunk is empty.
   */
  readonly read: (chunk: Uint8Array, untilBoundary?: boolean) => number
  /** Whether what was read so far ends with a whole frame. */
  readonly isAtBoundary: () => boolean
  /** Whether a Close frame has begun: no other frame may follow it (§5.5.1). */
  readonly hasClosed: () => boolean
}

const CLOSE = 0x8
const LONGEST_HEADER = 14

export function createFrames(): Frames {
  const header = new Uint8Array(LONGEST_HEADER)
  let headerLength = 0
  let payloadLeft = 0
  let hasClosed = false
  const isAtBoundary = () => headerLength === 0 && payloadLeft === 0
  const takeHeaderByte = (byte: number) => {
    header[headerLength++] = byte
    if (headerLength === 1) hasClosed ||= (byte & 0x0f) === CLOSE
    if (headerLength < 2 || headerLength < lengthOfHeader(header)) return
    payloadLeft = lengthOfPayload(header)
    headerLength = 0
  }
  return {
    isAtBoundary,
    hasClosed: () => hasClosed,
    read(chunk, untilBoundary = false) {
      let at = 0
      while (at < chunk.length && !(untilBoundary && isAtBoundary())) {
        if (payloadLeft > 0) {
          const taken = Math.min(payloadLeft, chunk.length - at)
          payloadLeft -= taken
          at += taken
        } else takeHeaderByte(chunk[at++] ?? 0)
      }
      return at
    },
  }
}

/** Known once its first two bytes are. */
function lengthOfHeader([, second = 0]: Uint8Array): number {
  const length = second & 0x7f
  const extended = length === 127 ? 8 : length === 126 ? 2 : 0
  const maskingKey = second & 0x80 ? 4 : 0
  return 2 + extended + maskingKey
}

function lengthOfPayload(header: Uint8Array): number {
  const view = new DataView(header.buffer)
  const length = view.getUint8(1) & 0x7f
  if (length === 126) return view.getUint16(2)
  // Past 2^53 it is not exact, and of no consequence: no such frame ever ends.
  return length === 127 ? Number(view.getBigUint64(2)) : length
}
