/** A server that starts to listen or says why not, and stops without cutting off its clients. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Where to listen; port 0 is any free one. */
export type ListenOptions =
  { readonly host: string; readonly port: number } | { readonly path: string }

/** Open connections of each server that listens. */
const connections = new WeakMap<Server, Set<Socket>>()

/** Resolves with the URL or socket path it listens on. Rejects where it cannot. */
export function listen(server: Server, options: ListenOptions): Promise<string> {
  const open = new Set<Socket>()
  connections.set(server, open)
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      const address = server.address()
      if (address === null || typeof address === 'string') resolve(address ?? '')
      else {
        const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
        resolve(`http://${host}:${address.port}`)
      }
    })
  })
}

/** Takes no more connections and resolves when the last answer is sent, at the latest in time. */
export function closeWithin(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve()
      return
    }
    const timer = setTimeout(() => {
      server.closeAllConnections()
    }, timeoutMs)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
    server.closeIdleConnections()
    // Node takes a connection on which nothing has come yet for a busy one.
    for (const socket of connections.get(server) ?? []) {
      if (socket.bytesRead === 0) socket.destroy()
    }
  })
}
