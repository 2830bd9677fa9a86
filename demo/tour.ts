/** The requests of the tour: what is sent, what must come back, and why. */
import { createKeys, type DemoClient } from './client.ts'
import type { Echo } from './upstream.ts'

export interface Stop {
  readonly name: string
  readonly sent: string
  readonly expected: string
  readonly why: string
  readonly send: () => Promise<Response>
}

export interface Visit extends Stop {
  readonly got: string
}

const HOUR = 3600

/** Makes the requests one after the other. */
export async function* tour(client: DemoClient, gatewayUrl: string): AsyncGenerator<Visit> {
  const readToken = await client.requestToken('orders:read')
  const writeToken = await client.requestToken('orders:read orders:write')
  for (const stop of [
    ...ownRequests(client, gatewayUrl, readToken),
    ...stolenTokens(gatewayUrl, readToken, client),
    ...wrongProofs(gatewayUrl, readToken, client),
    ...policies(client, gatewayUrl, { readToken, writeToken }),
  ]) {
    yield { ...stop, got: await describe(await stop.send()) }
  }
}

function ownRequests(client: DemoClient, gatewayUrl: string, token: string): readonly Stop[] {
  const url = `${gatewayUrl}/orders/1`
  return [
    {
      name: 'Allowed',
      sent: 'GET /orders/1',
      expected: '200 as demo-client',
      why: "The proof is good. The API saw the token's subject in X-Auth-Subject, and no token.",
      send: () => client.send(token, { url }),
    },
    {
      name: 'The same proof again',
      sent: 'the request above, copied',
      expected: '401 proof_replayed',
      why: 'A proof is good for one request. Who copies it off the wire has nothing.',
      send: () => bare(url, dpop(token, client.lastProof())),
    },
  ]
}

function stolenTokens(gatewayUrl: string, token: string, client: DemoClient): readonly Stop[] {
  const url = `${gatewayUrl}/orders/1`
  return [
    {
      name: 'The token as Bearer',
      sent: 'Authorization: Bearer',
      expected: '401 token_bound',
      why: 'The token is bound to a key (cnf.jkt), so it is worth nothing alone.',
      send: () => bare(url, { authorization: `Bearer ${token}` }),
    },
    {
      name: 'Another key',
      sent: 'a proof by another key',
      expected: '401 token_key_mismatch',
      why: 'A thief can sign proofs too, but not with the key the token is bound to.',
      send: async () => {
        const keys = await createKeys()
        return bare(url, dpop(token, await client.signProof({ method: 'GET', url, token, keys })))
      },
    },
  ]
}

function wrongProofs(gatewayUrl: string, token: string, client: DemoClient): readonly Stop[] {
  const url = `${gatewayUrl}/orders/1`
  const own = { method: 'GET', url, token }
  return [
    {
      name: 'Another method',
      sent: 'GET, the proof says DELETE',
      expected: '401 proof_method',
      why: 'A proof names its method (htm): one for reading does not delete.',
      send: async () =>
        bare(url, dpop(token, await client.signProof({ ...own, method: 'DELETE' }))),
    },
    {
      name: 'Another path',
      sent: 'GET /orders/1, proof for /2',
      expected: '401 proof_target',
      why: 'A proof names its URL (htu): one for this order does not open the next.',
      send: async () =>
        bare(url, dpop(token, await client.signProof({ ...own, url: `${gatewayUrl}/orders/2` }))),
    },
    {
      name: 'An expired proof',
      sent: 'a proof made an hour ago',
      expected: '401 proof_expired',
      why: 'Proofs are made when they are needed (iat): a hoard of them is of no use.',
      send: async () => {
        const issuedAt = Math.floor(Date.now() / 1000) - HOUR
        return bare(url, dpop(token, await client.signProof({ ...own, issuedAt })))
      },
    },
  ]
}

function policies(
  client: DemoClient,
  gatewayUrl: string,
  { readToken, writeToken }: { readonly readToken: string; readonly writeToken: string },
): readonly Stop[] {
  const url = `${gatewayUrl}/orders/1`
  const order = { url, method: 'POST', body: '{"item":"tea"}' }
  return [
    {
      name: 'A missing scope',
      sent: 'POST with orders:read',
      expected: '403 scope_insufficient',
      why: 'The route asks for orders:write, and this token was not granted it.',
      send: () => client.send(readToken, order),
    },
    {
      name: 'The scope it takes',
      sent: 'POST with orders:write',
      expected: '200 as demo-client',
      why: 'The same request with a token that was.',
      send: () => client.send(writeToken, order),
    },
    {
      name: 'A spoofed identity',
      sent: 'X-Auth-Subject: admin',
      expected: '200 as demo-client',
      why: 'Identity headers of the client are dropped: the API saw the real subject.',
      send: () => client.send(readToken, { url, headers: { 'X-Auth-Subject': 'admin' } }),
    },
    {
      name: 'A public route',
      sent: 'GET /status, no token',
      expected: '200 as nobody',
      why: 'Where the configuration says `access: public`, nothing is asked for.',
      send: () => bare(`${gatewayUrl}/status`, {}),
    },
  ]
}

function dpop(token: string, proof: string): Record<string, string> {
  return { authorization: `DPoP ${token}`, dpop: proof }
}

function bare(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(url, { headers })
}

/** The status, and what else tells one answer from another. */
async function describe(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => ({}))
  if (response.status !== 200) {
    const { code = 'without a code' } = body as { readonly code?: string }
    return `${response.status} ${code}`
  }
  const { headers } = body as Echo
  if (headers['authorization'] ?? headers['dpop']) return '200 and the API saw the token'
  const subject = headers['x-auth-subject'] ?? ''
  return `200 as ${subject === '' ? 'nobody' : subject}`
}
