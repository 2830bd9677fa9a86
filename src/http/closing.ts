/**
 * Ends a connection so that its last answer arrives. A socket that is closed over bytes nobody has
 * read sends a reset, which can overtake the answer (RFC 9112 §9.6): so only our half is closed at
 * first, and what the client still sends is read and thrown away for a moment.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Message, Response } from './message.ts'

export const LINGER_MS = 2000

const closing = new WeakSet<Duplex>()

/** Whether the last answer is on its way: what comes in after that is no request any more. */
export function isClosing(socket: Duplex): boolean {
  return closing.has(socket)
}

/**
 * Makes this answer the last one of its connection. To be called before its header is written. Of
 * HTTP/2 the stream ends with its answer anyway, and the other ones go on.
 */
export function closeAfter(message: Message, response: Response): void {
  const { socket } = message
  if (!(socket instanceof Socket)) return
  response.shouldKeepAlive = false
  closing.add(socket)
  // What Node calls once the answer is handed over to the socket. Its own would not wait.
  socket.destroySoon = () => {
    linger(socket)
  }
  response.once('finish', () => message.resume())
}

/** Closes our half after what was written, and the other one when the client does or in time. */
export function linger(socket: Duplex): void {
  closing.add(socket)
  // Outside of a request nobody else listens, and a reset would end the process.
  socket.on('error', () => socket.destroy())
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => {
    clearTimeout(timer)
  })
  socket.end()
  socket.resume()
}
