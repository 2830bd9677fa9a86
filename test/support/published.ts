/** The documents an authorization server publishes, and how it answers requests for them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { FAULTS, json, type Fault, type Respond } from './fault.ts'

/** `empty`, `invalid` and `many` change the JWK Set alone. */
export type Behaviour = 'ok' | 'error' | Fault | 'empty' | 'invalid' | 'many'

export interface Published {
  readonly requests: { metadata: number; jwks: number; elsewhere: number }
  readonly behave: (behaviour: Behaviour, cacheControl?: string) => void
  /** Serves this document, and counts under this name how often. */
  readonly handle: (
    name: keyof Published['requests'],
    document: () => object,
  ) => (request: IncomingMessage, response: ServerResponse) => void
}

export function createPublished(): Published {
  const requests = { metadata: 0, jwks: 0, elsewhere: 0 }
  let respond: Respond = BEHAVIOURS.ok
  let headers: Readonly<Record<string, string>> = {}
  return {
    requests,
    behave(behaviour, cacheControl) {
      respond = BEHAVIOURS[behaviour]
      headers = cacheControl === undefined ? {} : { 'cache-control': cacheControl }
    },
    handle: (name, document) => (_, response) => {
      requests[name]++
      for (const [field, value] of Object.entries(headers)) response.setHeader(field, value)
      respond(response, document())
    },
  }
}

const withKeys =
  (keys: unknown): Respond =>
  (response, document) => {
    json(response, 'keys' in document ? { keys } : document)
  }

const BEHAVIOURS: Readonly<Record<Behaviour, Respond>> = {
  ...FAULTS,
  ok: json,
  error: (response) => void response.writeHead(500).end('{"keys":[]}'),
  empty: withKeys([]),
  invalid: withKeys({}),
  many: withKeys(Array.from({ length: 1_001 }, () => ({ kty: 'EC' }))),
}
