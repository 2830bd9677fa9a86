/** The origin of a page: serves it, stands for the login it comes back from, hears what it saw. */
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { listen } from '../../demo/listen.ts'
import type { Owner } from '../support/owner.ts'

export interface PageServer {
  readonly origin: string
  /** What the page has to know. To be said before it is opened. */
  readonly tell: (briefing: Briefing) => void
  /** What the page has to say in the end, which is still to come. Rejects after a minute. */
  readonly report: () => Promise<Report>
}

interface Briefing {
  /** What it finds at `/settings`. */
  readonly settings: object
  /** A code for the token endpoint, as the redirect after a login brings it. */
  readonly grantCode: (challenge: string) => Promise<string>
}

type Report = Readonly<Record<string, unknown>>

const DEADLINE_MS = 60_000

export async function startPageServer(t: Owner): Promise<PageServer> {
  const page = new EventEmitter()
  let briefing: Briefing | undefined
  const server = createServer((message, response) => {
    void answer(message, briefing, page).then(
      ([type, body]) => response.writeHead(200, { 'content-type': type }).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await listen(server, 0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    tell: (given) => (briefing = given),
    async report() {
      const signal = AbortSignal.timeout(DEADLINE_MS)
      const [report] = (await once(page, 'report', { signal })) as [Report]
      return report
    },
  }
}

async function answer(
  message: IncomingMessage,
  briefing: Briefing | undefined,
  page: EventEmitter,
): Promise<readonly [type: string, body: string]> {
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://page')
  switch (pathname) {
    case '/':
      return ['text/html', '<!doctype html><script type="module" src="/page.js"></script>']
    case '/page.js':
      return ['text/javascript', readFileSync(join(import.meta.dirname, 'page.js'), 'utf8')]
    case '/client.js':
      return ['text/javascript', documentedClient()]
    case '/settings':
      return ['application/json', JSON.stringify(briefing?.settings)]
    case '/code':
      return ['text/plain', (await briefing?.grantCode(searchParams.get('challenge') ?? '')) ?? '']
    case '/report':
      page.emit('report', JSON.parse(await text(message)))
      return ['text/plain', '']
    default:
      return ['text/plain', ''] // Browsers ask for an icon.
  }
}

/** The one that docs/browsers.md has, as it stands there. */
function documentedClient(): string {
  const page = readFileSync(join(import.meta.dirname, '../../docs/browsers.md'), 'utf8')
  const [, code] = /```js\n(.*?)```/s.exec(page) ?? []
  if (code === undefined) throw new Error('docs/browsers.md has no client')
  return code
}
