/** One address for gateways that come and go: they take turns, and a test says which are in use. */
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { listen } from '../../demo/listen.ts'
import { closeAfter } from './topology.ts'

export interface Switchboard {
  /** URLs, in place of those before. What is under way is finished where it began. */
  readonly use: (targets: readonly string[]) => void
}

/** Is told of every answer of a gateway. */
export type Observe = (asked: IncomingMessage, answered: IncomingMessage) => void

/** Only for requests without a body. */
export async function startSwitchboard(
  t: Test,
  port: number,
  observe: Observe,
): Promise<Switchboard> {
  let targets: readonly string[] = []
  let turn = 0
  // A connection for each request: none is closed by a gateway while a request is on its way.
  const agent = new Agent({ keepAlive: false })

  function pass(asked: IncomingMessage, response: ServerResponse): void {
    const target = targets[(turn += 1) % targets.length] ?? 'http://nobody.invalid'
    const { method, headers, url = '' } = asked
    request(target + url, { method, headers, agent }, (answered) => {
      observe(asked, answered)
      response.writeHead(answered.statusCode ?? 502, answered.rawHeaders)
      answered.pipe(response)
    })
      .on('error', (error) => {
        // As nginx does by `proxy_next_upstream error`: what was never sent can go to another one.
        if ('code' in error && error.code === 'ECONNREFUSED') pass(asked, response)
        else response.writeHead(502).end(error.message)
      })
      .end()
  }

  const server = createServer(pass)
  closeAfter(t, server)
  await listen(server, port, '127.0.0.1')
  return {
    use(next) {
      targets = next
    },
  }
}
