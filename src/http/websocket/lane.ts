/**
 * One direction of a WebSocket. It passes on what comes, until it is to be closed: then a Close frame
 * of the gateway takes the place of all that follows the frame under way, for a frame that is cut
 * short would leave the receiver waiting for its rest. Pure: no clock, no I/O.
 */
import { createFrames } from './frames.ts'

/** Codes of RFC 6455 §7.4.1 that the gateway closes with. */
export const GOING_AWAY = 1001
export const POLICY_VIOLATION = 1008

export type CloseCode = typeof GOING_AWAY | typeof POLICY_VIOLATION

export interface Lane {
  /** What of it the receiver is to get. */
  readonly pass: (chunk: Buffer) => readonly Buffer[]
  /** From the next boundary on nothing passes any more. Returns what is to be sent at once. */
  readonly close: (code: CloseCode) => readonly Buffer[]
  /** Whether the sender has sent a Close frame. */
  readonly hasSenderClosed: () => boolean
  /** Whether nothing passes any more. */
  readonly isOver: () => boolean
}

const NOTHING: readonly Buffer[] = []

/** `createMask` is given in the direction of the upstream, where frames are masked (§5.1). */
export function createLane(createMask?: () => Buffer): Lane {
  const frames = createFrames()
  let farewell: Buffer | undefined
  let isOver = false
  const part = (): readonly Buffer[] => {
    if (!farewell || !frames.isAtBoundary()) return NOTHING
    isOver = true
    // §5.5.1: after the Close frame of the sender nothing may follow.
    return frames.hasClosed() ? NOTHING : [farewell]
  }
  return {
    hasSenderClosed: () => frames.hasClosed() && frames.isAtBoundary(),
    isOver: () => isOver,
    pass(chunk) {
      if (!farewell || isOver) {
        frames.read(chunk)
        return isOver ? NOTHING : [chunk]
      }
      const rest = frames.read(chunk, true)
      const last = part()
      frames.read(chunk.subarray(rest))
      return [chunk.subarray(0, rest), ...last]
    },
    close(code) {
      farewell ??= closeFrame(code, createMask?.())
      return isOver ? NOTHING : part()
    },
  }
}

/** §5.5.1: a status code and no reason. */
function closeFrame(code: CloseCode, mask: Buffer | undefined): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  if (!mask) return Buffer.concat([Buffer.from([0x88, payload.length]), payload])
  const masked = payload.map((byte, at) => byte ^ (mask[at % mask.length] ?? 0))
  return Buffer.concat([Buffer.from([0x88, 0x80 | payload.length]), mask, masked])
}
