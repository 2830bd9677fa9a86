/** HTTP over a bare socket, for the requests `fetch` refuses to send and the answers it hides. */
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { readResponse, type RawResponse } from './raw-response.ts'

export type Header = readonly [name: string, value: string]

export interface RawRequest {
  /** Default is GET. */
  readonly method?: string
  readonly path: string
  /** Sent as they are, in this order. `Host` is added where there is none, unless `host` is false. */
  readonly headers?: readonly Header[]
  /** `Content-Length` is added unless the headers frame the body themselves. */
  readonly body?: string
  readonly host?: false
}

interface RawOptions {
  /** Whether the answer has no body whatever its headers say. Default is what the text says. */
  readonly head?: boolean
  /** Default is 5 seconds. */
  readonly deadlineMs?: number
}

export interface RawConnection {
  readonly write: (bytes: string | Uint8Array) => void
  /** The next complete response, interim ones left out. Rejects when the deadline has passed. */
  readonly read: (options?: RawOptions) => Promise<RawResponse>
  /** Resolves when the other side has closed, with the bytes that no `read` has taken. */
  readonly closed: (options?: RawOptions) => Promise<string>
  /** Ends our half of the connection, as a client does that has nothing more to send. */
  readonly end: () => void
  /** Takes no more bytes, until it is resumed. */
  readonly pause: () => void
  readonly resume: () => void
  /** Resets the connection, as a client does that has gone away. */
  readonly reset: () => void
  readonly destroy: () => void
}

export async function openRaw(port: number, host = '127.0.0.1'): Promise<RawConnection> {
  const socket = connect({ port, host, allowHalfOpen: true })
  const inbox = collect(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
  })
  return {
    write: (bytes) => void socket.write(bytes),
    read: ({ head = false, deadlineMs } = {}) =>
      inbox.waitFor((received, ended) => {
        const response = readResponse(received, { head, ended })
        if (response) inbox.drop(response.length)
        return response
      }, deadlineMs),
    closed: ({ deadlineMs } = {}) =>
      inbox.waitFor(
        (received, ended) => (ended ? received.toString('latin1') : undefined),
        deadlineMs,
      ),
    end: () => void socket.end(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    reset: () => void socket.resetAndDestroy(),
    destroy: () => void socket.destroy(),
  }
}

/** The bytes a socket has received, to be looked at again whenever there are more. */
function collect(socket: Socket) {
  let received = Buffer.alloc(0)
  let ended = false
  const changes = new EventEmitter().setMaxListeners(0)
  const end = () => {
    ended = true
    changes.emit('change')
  }
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    changes.emit('change')
  })
  // A reset is a close here: what had arrived until then is still to be looked at.
  socket.on('end', end).on('close', end).on('error', end)
  return {
    drop(length: number) {
      received = received.subarray(length)
    },
    async waitFor<T>(
      look: (received: Buffer, ended: boolean) => T | undefined,
      deadlineMs = 5000,
    ): Promise<T> {
      const signal = AbortSignal.timeout(deadlineMs)
      for (;;) {
        const found = look(received, ended)
        if (found !== undefined) return found
        await once(changes, 'change', { signal }).catch(() => {
          const text = JSON.stringify(received.toString('latin1', 0, 500))
          throw new Error(`nothing complete within ${deadlineMs} ms, only: ${text}`)
        })
      }
    },
  }
}

/** One connection, these bytes, one complete response. */
export async function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  { head = Buffer.from(bytes).subarray(0, 5).toString() === 'HEAD ', ...options }: RawOptions = {},
): Promise<RawResponse> {
  const connection = await openRaw(port)
  try {
    connection.write(bytes)
    return await connection.read({ head, ...options })
  } finally {
    connection.destroy()
  }
}

/** Builds the text of a request and sends it. */
export function request(
  port: number,
  options: RawRequest,
  rawOptions?: RawOptions,
): Promise<RawResponse> {
  return sendRaw(port, requestText(port, options), rawOptions)
}

export function requestText(port: number, options: RawRequest): string {
  const { method = 'GET', path, headers = [], body = '' } = options
  const has = (name: RegExp) => headers.some((header) => name.test(header[0]))
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(options.host === false || has(/^host$/i) ? [] : [`Host: localhost:${port}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === '' || has(/^(content-length|transfer-encoding)$/i)
      ? []
      : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

export type { RawResponse }
