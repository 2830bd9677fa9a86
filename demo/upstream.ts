/**
 * The API behind the gateway. It knows nothing of OAuth and answers with what it received.
 * Alone: `PORT=3000 node --import tsx demo/upstream.ts`.
 */
import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { listen } from './listen.ts'

export interface Echo {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export async function startUpstream(port: number, host = '127.0.0.1'): Promise<Server> {
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request
    response.setHeader('content-type', 'application/json')
    text(request).then(
      (body) => response.end(`${JSON.stringify({ method, path, headers, body }, undefined, 2)}\n`),
      () => response.destroy(), // The request was cut off: there is nobody to answer.
    )
  })
  await listen(server, port, host)
  return server
}

if (process.argv[1] === import.meta.filename) {
  const { PORT = '3000', HOST = '0.0.0.0' } = process.env
  await startUpstream(Number(PORT), HOST)
  // As process 1 of a container it would ignore this signal.
  process.once('SIGTERM', () => process.exit())
  console.log(`upstream on port ${PORT}`)
}
