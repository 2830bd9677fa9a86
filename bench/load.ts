/** Sends prepared requests over a fixed number of keep-alive connections, each request once. */
import { connect, type Socket } from 'node:net'

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
}

/** Rejects at the first answer that is not 200: a benchmark of refusals would be worth nothing. */
export async function sendAll(
  port: number,
  requests: readonly Buffer[],
  connections: number,
): Promise<LoadResult> {
  let next = 0
  const take = () => requests[next++]
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, () => drive(port, take)))
  return { requests: requests.length, seconds: (performance.now() - startedAt) / 1000 }
}

function drive(port: number, take: () => Buffer | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let received = ''
    const send = () => {
      const request = take()
      if (request) socket.write(request)
      else {
        socket.destroy()
        resolve()
      }
    }
    socket.once('connect', send)
    socket.on('error', reject)
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      const length = completeLength(received)
      if (length === undefined) return
      if (!received.startsWith('HTTP/1.1 200 ')) {
        socket.destroy()
        reject(new Error(`not a 200: ${received}`))
        return
      }
      received = received.slice(length)
      send()
    })
  })
}

/** Length of the first answer; undefined while it is not complete. */
function completeLength(received: string): number | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const body = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, headEnd))?.[1]
  if (body === undefined) throw new Error('an answer without Content-Length')
  const length = headEnd + 4 + Number(body)
  return received.length < length ? undefined : length
}
