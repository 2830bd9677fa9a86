/**
 * What a server hands over with `Upgrade`. Of the protocols there are the gateway takes up
 * WebSockets alone; any other wish to upgrade is ignored (RFC 9110 §7.8).
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { isClosing } from './closing.ts'
import { linesOf, readFields } from './fields.ts'
import type { Upgrade } from './upgrade.ts'
import { asksForWebSocket } from './websocket/handshake.ts'

/**
 * For the server: a request with a body is one like any other, and a newer Node would hand over what
 * is behind the body in a stream that is no socket. Node before 22.21 and 24.9 knows no such option.
 */
export const BODILESS_ALONE = {
  shouldUpgradeCallback: (message: IncomingMessage) => !hasBody(message),
}

function hasBody({ rawHeaders }: IncomingMessage): boolean {
  const fields = readFields(rawHeaders)
  const lengths = linesOf(fields, 'content-length')
  return linesOf(fields, 'transfer-encoding').length > 0 || lengths.some((it) => Number(it) !== 0)
}

type Responses = ReadonlySet<ServerResponse>

/** `underWay` are the answers of a connection that are not out yet. */
export function acceptUpgrades(
  server: Server,
  upgrade: Upgrade,
  underWay: (socket: Socket) => Responses | undefined,
): void {
  const guarded = new WeakSet<Socket>()
  server.on('upgrade', (message: IncomingMessage, socket: Socket, head) => {
    // Node listens no more, and a reset would end the process. It may come here more than once.
    if (!guarded.has(socket)) socket.on('error', () => socket.destroy())
    guarded.add(socket)
    if (isClosing(socket)) {
      socket.resume()
      return
    }
    whenAnswered(underWay(socket), () => {
      if (socket.destroyed || socket.writableEnded) return
      if (asksForWebSocket(message) && !hasBody(message)) void upgrade(message, socket, head)
      else handBack(server, message, socket, head)
    })
  })
}

/** RFC 9112 §9.3.2: answers go out in the order of the requests, and this one is the last. */
function whenAnswered(responses: Responses | undefined, proceed: () => void): void {
  const [...pending] = responses ?? []
  let left = pending.length
  if (left === 0) proceed()
  for (const response of pending) {
    response.once('close', () => {
      left -= 1
      if (left === 0) proceed()
    })
  }
}

/**
 * The same bytes once more, but for `Upgrade`: only the parser of Node can tell where the request
 * ends. An event that, as its documentation says, may be emitted to bring in a connection.
 */
function handBack(server: Server, message: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method = '', url = '', rawHeaders } = message
  let text = `${method} ${url} HTTP/${message.httpVersion}\r\n`
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.toLowerCase() !== 'upgrade') text += `${name}: ${rawHeaders[at + 1] ?? ''}\r\n`
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]))
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}
