/** A connection that Node has handed over with a request to upgrade it, and its answer in HTTP. */
import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { linger } from './closing.ts'

export interface Taken {
  readonly socket: Socket
  /** The connection ends with it, unless it switches protocols. */
  readonly response: ServerResponse
  /** Lets what the client sends be read by another one. */
  readonly release: () => void
}

/**
 * Nobody listens to the socket any more, not even for errors. Until it is released what the client
 * sends is held back, no more than Node reads ahead, and so it is noticed when the client goes away.
 */
export function takeOver(message: IncomingMessage, socket: Socket, head: Buffer): Taken {
  const leave = () => socket.destroy()
  // Reads ahead, and comes upon the end of the stream.
  const readAhead = () => void socket.read(0)
  socket.on('error', leave).on('readable', readAhead).once('end', leave)
  socket.setTimeout(0)
  if (head.length > 0) socket.unshift(head)
  const release = () => {
    socket.off('readable', readAhead).off('end', leave)
  }
  const response = new ServerResponse(message)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => {
    release()
    linger(socket)
  })
  return { socket, response, release }
}
