/** The listener for the operator: health, readiness, metrics. Never on the port of the traffic. */
import { createServer, type Server } from 'node:http'

export interface Component {
  readonly ready: boolean
  /** In words for an operator, where it is not ready. */
  readonly reason?: string
}

export interface AdminSources {
  /** Every part that must be there before a request can be decided, by name. */
  readonly components: () => Readonly<Record<string, Component>>
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> }
}

interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
}

export function createAdminServer(sources: AdminSources): Server {
  return createServer((message, response) => {
    void answer(message.url ?? '', sources)
      .catch((error: unknown) => json(500, { error: String(error) }))
      .then(({ status, type, body }) => {
        response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body)
      })
  })
}

async function answer(url: string, { components, metrics }: AdminSources): Promise<Page> {
  switch (url.split('?')[0]) {
    case '/healthz':
      return json(200, { status: 'ok' })
    case '/readyz': {
      const parts = components()
      const ready = Object.values(parts).every((part) => part.ready)
      return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', components: parts })
    }
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.render() }
    default:
      return json(404, { error: 'not found', paths: ['/healthz', '/readyz', '/metrics'] })
  }
}

function json(status: number, value: unknown): Page {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` }
}
