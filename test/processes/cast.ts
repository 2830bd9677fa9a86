/** What a gateway process needs around it: an issuer, an API, a configuration and a client. */
import type { Test } from 'tap'
import { createClient } from '../support/client.ts'
import { AUDIENCE, createAuthority, type Authority } from '../support/jwks-server.ts'
import { PUBLIC_URL } from '../support/stage.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

interface CastOptions {
  /** YAML lines put before the routes. */
  readonly settings?: string
  /** Default stops as soon as nothing is under way. */
  readonly drain?: string
  readonly listen?: string
  readonly adminListen?: string
}

export interface Cast {
  readonly authority: Authority
  readonly upstream: Upstream
  /** Path of the configuration: `/api/*` is protected, `/public/*` is not. */
  readonly config: string
  /** A valid request with a proof of its own. */
  readonly request: (traffic: string, path?: string) => Promise<Response>
}

export async function createCast(t: Test, options: CastOptions = {}): Promise<Cast> {
  const authority = await createAuthority(t)
  const upstream = await startUpstream(t)
  const client = await createClient()
  const token = await authority.mint({ cnf: { jkt: client.thumbprint } })
  const yaml = toYaml(options, authority.issuer, upstream.url)
  return {
    authority,
    upstream,
    config: `${t.testdir({ 'gateway.yaml': yaml })}/gateway.yaml`,
    async request(traffic, path = '/api/orders') {
      const proof = await client.proof({ url: PUBLIC_URL + path, token })
      return fetch(traffic + path, { headers: { authorization: `DPoP ${token}`, dpop: proof } })
    },
  }
}

function toYaml(options: CastOptions, issuer: string, upstream: string): string {
  const { settings = '', drain = '{ delay: 0s, timeout: 5s }' } = options
  const { listen = '127.0.0.1:0', adminListen = '127.0.0.1:0' } = options
  return `
server: { listen: '${listen}', publicUrl: '${PUBLIC_URL}', drain: ${drain} }
admin: { listen: '${adminListen}' }
issuers:
  main: { issuer: '${issuer}', audience: '${AUDIENCE}' }
${settings}
routes:
  - { name: api, path: /api/*, upstream: '${upstream}' }
  - { name: public, path: /public/*, upstream: '${upstream}', access: public }
`
}

/** The code of a refusal; undefined where there is none. */
export async function codeOf(response: Response): Promise<string | undefined> {
  const { code } = (await response.json()) as { readonly code?: string }
  return code
}
