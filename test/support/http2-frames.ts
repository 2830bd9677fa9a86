/** HTTP/2 as frames (RFC 9113 §4), for what a client library would not send. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import type { Owner } from './owner.ts'
import type { TlsStage } from './http2.ts'
import { until } from './until.ts'

export const TYPE = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
} as const
export const END_STREAM = 1
export const END_HEADERS = 4
const ACK = 1

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export interface Frames {
  readonly socket: TLSSocket
  readonly send: (frame: Partial<Frame> & Pick<Frame, 'type'>) => void
  /** What has come so far. */
  readonly received: readonly Frame[]
  /** The first that fits; waits for it. */
  readonly find: (fits: (frame: Frame) => boolean) => Promise<Frame>
  /** Resolves when the connection is gone. */
  readonly closed: () => Promise<void>
}

/** A connection with the settings exchanged. */
export async function openFrames(
  t: Owner,
  { port, certificates }: Pick<TlsStage, 'port' | 'certificates'>,
): Promise<Frames> {
  const socket = connect({ port, ca: certificates.ca, ALPNProtocols: ['h2'] })
  t.teardown(() => socket.destroy())
  const received: Frame[] = []
  let rest = Buffer.alloc(0)
  socket.on('error', () => undefined) // Being reset is what some tests are about.
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const frame = readFrame(rest)
      if (!frame) return
      rest = rest.subarray(9 + frame.payload.length)
      received.push(frame)
      if (frame.type === TYPE.settings && frame.flags !== ACK) send({ type: 4, flags: ACK })
    }
  })
  const send: Frames['send'] = (frame) => void socket.write(writeFrame(frame))
  await once(socket, 'secureConnect')
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  send({ type: TYPE.settings })
  await until(() => received.some(({ type, flags }) => type === TYPE.settings && flags === ACK))
  return {
    socket,
    send,
    received,
    async find(fits) {
      await until(() => received.some(fits))
      return received.find(fits) as Frame
    },
    closed: () => until(() => socket.closed),
  }
}

function readFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 9) return undefined
  const length = bytes.readUIntBE(0, 3)
  if (bytes.length < 9 + length) return undefined
  const [type = 0, flags = 0] = bytes.subarray(3, 5)
  const payload = bytes.subarray(9, 9 + length)
  return { type, flags, stream: bytes.readUInt32BE(5), payload }
}

function writeFrame({ type, flags = 0, stream = 0, payload = Buffer.alloc(0) }: Partial<Frame>) {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type ?? 0, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export type Line = readonly [name: string, value: string]

/** A header block in which nothing is indexed (RFC 7541 §6.2.2), so that any bytes can be sent. */
export function headerBlock(lines: readonly Line[]): Buffer {
  return Buffer.concat(
    lines.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  )
}

/** RFC 7541 §5.1 and §5.2, without Huffman. */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let left = bytes.length - 127
  for (; left >= 128; left = left >> 7) length.push((left & 127) | 128)
  return Buffer.concat([Buffer.from([...length, left]), bytes])
}
