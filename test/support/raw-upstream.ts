/** An upstream made of bytes, for the answers a real HTTP server would not give. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Owner } from './owner.ts'

export interface RawUpstream {
  readonly url: string
  /** The requests so far, header and whatever of the body came with it. */
  readonly requests: readonly string[]
  /** The connections so far, open or not. */
  readonly connections: readonly Socket[]
}

/** `answer` is called once a request has come in; `nth` counts from 1 over all connections. */
export async function startRawUpstream(
  t: Owner,
  answer: (socket: Socket, nth: number) => void,
): Promise<RawUpstream> {
  const requests: string[] = []
  const connections: Socket[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    let received = ''
    socket.on('error', () => undefined) // The gateway may reset it: some tests are about that.
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!received.includes('\r\n\r\n')) return
      answer(socket, requests.push(received))
      received = ''
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests, connections }
}

/** The URL of a port where nobody listens any more. */
export async function closedUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}
