/** Stands between a store and its Redis and breaks the connection at a chosen moment. */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface TcpProxy {
  readonly url: string
  readonly connections: number
  /** All that was sent to the server. */
  readonly sent: string
  /** The next answer of the server is swallowed, and the connection with it. */
  cutNextReply(): void
  /** The next request never reaches the server, and the connection is broken. */
  cutNextRequest(): void
  /** From now on nothing gets through and nothing is closed, as with a firewall that drops. */
  blackhole(): void
  /** New connections get through again; those in the black hole never do. */
  restore(): void
}

export async function startProxy(
  t: Test,
  targetPort: number,
  rewriteReply = (reply: string) => reply,
): Promise<TcpProxy> {
  let cut: 'request' | 'reply' | undefined
  let swallowing = false
  let connections = 0
  let sent = ''
  const sockets = new Set<Socket>()

  const server = createServer((client) => {
    connections += 1
    const upstream = connect(targetPort, '127.0.0.1')
    let lost = swallowing
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
      from.on('data', (data: Buffer) => {
        lost ||= swallowing
        if (lost) return
        const direction = from === client ? 'request' : 'reply'
        if (cut === direction) {
          cut = undefined
          client.destroy()
          return
        }
        if (direction === 'request') sent += data.toString('latin1')
        to.write(direction === 'request' ? data : rewriteReply(data.toString('latin1')), 'latin1')
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    get sent() {
      return sent
    },
    cutNextReply: () => void (cut = 'reply'),
    cutNextRequest: () => void (cut = 'request'),
    blackhole: () => void (swallowing = true),
    restore: () => void (swallowing = false),
  }
}
