/** A server that starts to listen or says why not, and stops without cutting off its clients. */
import { statSync, unlinkSync } from 'node:fs'
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'

/** Where to listen; port 0 is any free one. */
export type ListenOptions =
  { readonly host: string; readonly port: number } | { readonly path: string }

/** Open connections of each server that listens, as TCP has them and as TLS does. */
const connections = new WeakMap<Server, Set<Socket>>()
/** What tells the clients of a server whose connections are not Node's to close. */
const drains = new WeakMap<Server, () => void>()

/** Has `drain` called once the server takes no more connections. */
export function onDrain(server: Server, drain: () => void): void {
  drains.set(server, drain)
}

/** Resolves with the URL or socket path it listens on. Rejects where it cannot. */
export function listen(server: Server, options: ListenOptions): Promise<string> {
  const open = new Set<Socket>()
  connections.set(server, open)
  const track = (socket: Socket) => {
    // A handshake that ends after that has nothing to wait for.
    if (!server.listening) socket.destroy()
    if (open.has(socket)) return
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  }
  server.on('connection', track).on('secureConnection', track)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      const address = server.address()
      if (address === null || typeof address === 'string') resolve(address ?? '')
      else {
        const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
        const scheme = server instanceof TlsServer ? 'https' : 'http'
        resolve(`${scheme}://${host}:${address.port}`)
      }
    })
  })
}

/**
 * A socket that a gateway has left behind which was killed: its file is there, and nobody listens.
 * Resolves without having done anything where it is something else.
 */
export async function removeStaleSocket(options: ListenOptions): Promise<void> {
  if (!('path' in options)) return
  const { path } = options
  const isStale = await new Promise<boolean>((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED')
    })
  })
  if (isStale && statSync(path).isSocket()) unlinkSync(path)
}

/** Takes no more connections and resolves when the last answer is sent, at the latest in time. */
export function closeWithin(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve()
      return
    }
    const open = connections.get(server) ?? []
    const timer = setTimeout(() => {
      server.closeAllConnections()
      for (const socket of open) socket.destroy()
    }, timeoutMs)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
    server.closeIdleConnections()
    drains.get(server)?.()
    // Node takes a connection on which nothing has come yet for a busy one.
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  })
}
