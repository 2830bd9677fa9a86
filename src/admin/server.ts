/** The listener for the operator: health, readiness, metrics. Never on the port of the traffic. */
import { createServer, type Server } from 'node:http'

export interface Component {
  readonly ready: boolean
  /** In words for an operator, where it is not ready. */
  readonly reason?: string
}

/** By name. */
export type Components = Readonly<Record<string, Component>>

export interface AdminSources {
  /** Every part that must be there before a request can be decided. */
  readonly components: () => Components | Promise<Components>
  /** What assertions for upstreams are verified with: a JWK Set (RFC 7517), as JSON. */
  readonly keySet: () => string | Promise<string>
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> }
}

interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
  /** Default is not at all. */
  readonly maxAgeSeconds?: number
}

const PATHS = ['/healthz', '/readyz', '/metrics', '/jwks']
/** RFC 7517 §8.5.1. */
const KEY_SET = 'application/jwk-set+json'
/** Whoever meets a key it does not know asks again: a key made at start changes with the process. */
const KEY_SET_SECONDS = 60

export function createAdminServer(sources: AdminSources): Server {
  return createServer((message, response) => {
    void answer(message.url ?? '', sources)
      .catch((error: unknown) => json(500, { error: String(error) }))
      .then(({ status, type, body, maxAgeSeconds }) => {
        const caching = maxAgeSeconds === undefined ? 'no-store' : `max-age=${maxAgeSeconds}`
        response.writeHead(status, { 'Content-Type': type, 'Cache-Control': caching }).end(body)
      })
  })
}

async function answer(url: string, { components, metrics, keySet }: AdminSources): Promise<Page> {
  switch (url.split('?')[0]) {
    case '/healthz':
      return json(200, { status: 'ok' })
    case '/readyz': {
      const parts = await components()
      const ready = Object.values(parts).every((part) => part.ready)
      return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', components: parts })
    }
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.render() }
    case '/jwks':
      return { status: 200, type: KEY_SET, body: await keySet(), maxAgeSeconds: KEY_SET_SECONDS }
    default:
      return json(404, { error: 'not found', paths: PATHS })
  }
}

function json(status: number, value: unknown): Page {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` }
}
