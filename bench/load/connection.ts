/**
 * One keep-alive connection that knows just enough HTTP to tell where an answer ends. It has a
 * buffer of its own for everything it receives, so that the load costs little beside what is
 * measured.
 */
import { connect } from 'node:net'

export interface Answer {
  readonly status: number
  /** Status line and header fields. */
  readonly head: string
  /** Whether the server closes the connection after it. */
  readonly closes: boolean
}

export interface Connection {
  readonly send: (request: Uint8Array) => void
  readonly close: () => void
}

export interface Listeners {
  /** What it throws is a fault of the connection. */
  readonly onAnswer: (answer: Answer) => void
  /** The connection is closed although nobody had asked for that. */
  readonly onFault: (error: Error) => void
}

const BUFFER_BYTES = 64 * 1024

export function openConnection(port: number, listeners: Listeners): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const reader = createReader(listeners.onAnswer)
    let isClosed = false
    const socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(BUFFER_BYTES),
        callback(length, buffer) {
          try {
            reader(buffer as Buffer, length)
          } catch (error) {
            fail(error as Error)
          }
          return !isClosed
        },
      },
    })
    const fail = (error: Error) => {
      if (isClosed) return
      isClosed = true
      socket.destroy()
      reject(error) // Of no effect once it is connected.
      listeners.onFault(error)
    }
    socket.on('error', fail)
    socket.on('close', () => {
      fail(new Error('the server closed the connection before its answer'))
    })
    socket.once('connect', () => {
      resolve({
        send: (request) => socket.write(request),
        close() {
          isClosed = true
          socket.destroy()
        },
      })
    })
  })
}

/** Takes what arrives, in whatever pieces, and calls once for each complete answer. */
export function createReader(onAnswer: (answer: Answer) => void) {
  let head = ''
  let answer: Answer | undefined
  let remaining = 0
  let isChunked = false
  let tail = ''

  const finish = () => {
    const done = answer
    answer = undefined
    if (done) onAnswer(done)
  }

  const readHead = (buffer: Buffer, from: number, length: number): number => {
    // What was left of a head may end in the middle of its blank line.
    const text = head + buffer.toString('latin1', from, length)
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) {
      head = text
      return length
    }
    const used = end + 4 - head.length
    head = ''
    const parsed = parseHead(text.slice(0, end))
    answer = parsed.answer
    remaining = parsed.bodyBytes
    isChunked = parsed.isChunked
    tail = ''
    if (remaining === 0 && !isChunked) finish()
    return from + used
  }

  return (buffer: Buffer, length: number): void => {
    let at = 0
    while (at < length) {
      if (!answer) {
        at = readHead(buffer, at, length)
      } else if (isChunked) {
        tail = (tail + buffer.toString('latin1', at, length)).slice(-7)
        at = length // Nothing is pipelined, so nothing follows the last chunk.
        if (tail.endsWith('\r\n0\r\n\r\n') || tail === '0\r\n\r\n') finish()
      } else {
        const taken = Math.min(remaining, length - at)
        remaining -= taken
        at += taken
        if (remaining === 0) finish()
      }
    }
  }
}

function parseHead(head: string) {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const isChunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)
  if (length === undefined && !isChunked) throw new Error(`an answer without an end: ${head}`)
  const closes = /\r\nconnection: *close/i.test(head)
  const answer: Answer = { status: Number(head.slice(9, 12)), head, closes }
  return { answer, isChunked, bodyBytes: Number(length ?? 0) }
}
