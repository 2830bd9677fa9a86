/**
 * RFC 9728, and every challenge as a client takes it apart: oauth4webapi reads what the gateway
 * publishes and what it refuses with.
 */
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { REFUSALS, type DenialCode } from '../../src/denial.ts'
import { createFetch, toResponse } from '../support/fetch.ts'
import type { Header } from '../support/raw-http.ts'
import { createStage, PUBLIC_URL, type Answer, type Stage } from '../support/stage.ts'
import { outcome } from './table.ts'

const METADATA = `${PUBLIC_URL}/.well-known/oauth-protected-resource`

const routes = ({ url }: { readonly url: string }) => `\
- { name: mcp, path: /mcp, upstream: ${url}, scopes: [tools, resources] }
- { name: orders, path: /orders/*, upstream: ${url} }
- { name: strict, path: /strict, upstream: ${url}, acr: ["urn:example:mfa", phr], maxAuthAge: 10m }
- { name: nonce, path: /nonce, upstream: ${url}, dpop: { nonce: required } }
- name: mixed
  path: /mixed
  upstream: ${url}
  access: dpop-or-bearer
  scopes: [tools]
- name: mixed-strict
  path: /mixed-strict
  upstream: ${url}
  access: dpop-or-bearer
  acr: [phr]`
const settings = 'dpop: { algorithms: [ES256, RS256] }'
const stage = await createStage(t, { routes, settings })
const options = { [oauth.customFetch]: createFetch(stage.port) }

async function discover(resource: string): Promise<oauth.ResourceServer> {
  const identifier = new URL(resource)
  const response = await oauth.resourceDiscoveryRequest(identifier, options)
  return oauth.processResourceDiscoveryResponse(identifier, response)
}

/** The challenges as oauth4webapi hands them to an application. */
async function challengesOf(answer: Answer): Promise<readonly oauth.WWWAuthenticateChallenge[]> {
  const reply = { [oauth.customFetch]: () => Promise.resolve(toResponse(answer)) }
  const url = new URL(PUBLIC_URL)
  try {
    await oauth.protectedResourceRequest('token', 'GET', url, undefined, undefined, reply)
    return []
  } catch (error) {
    if (error instanceof oauth.WWWAuthenticateChallengeError) return error.cause
    throw error
  }
}

for (const path of ['', '/mcp', '/orders', '/mixed']) {
  t.test(`§3.1 §3.3 metadata of ${PUBLIC_URL}${path}`, async (t) => {
    const { resource, authorization_servers } = await discover(PUBLIC_URL + path)
    t.equal(resource, PUBLIC_URL + path)
    t.strictSame(authorization_servers, [stage.authority.issuer])
  })
}

t.test('§3.2 no parameter without a value', async (t) => {
  for (const path of ['', '/mcp', '/orders', '/strict', '/nonce', '/mixed']) {
    for (const [name, value] of Object.entries(await discover(PUBLIC_URL + path))) {
      t.notOk(value === null || (Array.isArray(value) && value.length === 0), `${path} ${name}`)
    }
  }
})

t.test('§5 from a refusal to a token, by what the gateway says alone', async (t) => {
  const url = new URL(`${PUBLIC_URL}/mcp`)
  const [challenge] = await challengesOf(await stage.send({ path: '/mcp', credentials: [] }))
  const { resource_metadata = '', scope, algs = '' } = challenge?.parameters ?? {}
  const response = await options[oauth.customFetch](resource_metadata, {
    method: 'GET',
    headers: {},
  })
  // §3.3: found by a challenge, it must be for the very URL that was called.
  const metadata = await oauth.processResourceDiscoveryResponse(url, response)
  t.equal(metadata.dpop_bound_access_tokens_required, true)
  t.strictSame(metadata.dpop_signing_alg_values_supported, algs.split(' '))
  t.strictSame(metadata.scopes_supported, scope?.split(' '))
  t.notOk('bearer_methods_supported' in metadata)

  const issuer = new URL(metadata.authorization_servers?.[0] ?? '')
  const found = await fetch(new URL('/.well-known/oauth-authorization-server', issuer))
  t.ok((await oauth.processDiscoveryResponse(issuer, found)).token_endpoint)

  const handle = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
  const claims = { cnf: { jkt: await handle.calculateThumbprint() }, scope: 'tools resources' }
  const token = await stage.mint(claims)
  const call = { ...options, DPoP: handle }
  const answer = await oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, call)
  t.equal(answer.status, 200)
})

const algs = 'ES256 RS256'
const errorOf = (code: DenialCode) => {
  const { error, description } = REFUSALS[code] as { error: string; description: string }
  return { error, error_description: description }
}
const stepUp = errorOf('authentication_insufficient')

interface Refused {
  readonly name: string
  readonly path: string
  readonly answer: string
  readonly request: Parameters<Stage['send']>[0] | (() => Promise<Parameters<Stage['send']>[0]>)
  /** Beside `resource_metadata`. */
  readonly dpop: Readonly<Record<string, string>>
  readonly bearer?: Readonly<Record<string, string>>
}

const bearer = async (claims = {}): Promise<{ readonly credentials: readonly Header[] }> => ({
  credentials: [['Authorization', `Bearer ${await stage.mint({ cnf: undefined, ...claims })}`]],
})

const CHALLENGES: readonly Refused[] = [
  {
    name: 'RFC 6750 §3.1 no credentials, no error',
    path: '/mcp',
    request: { credentials: [] },
    answer: '401 credentials_missing',
    dpop: { algs, scope: 'tools resources' },
  },
  {
    name: 'RFC 9449 §7.1 a proof that is wrong',
    path: '/orders/1',
    request: { proof: { method: 'PUT' } },
    answer: '401 proof_method',
    dpop: { ...errorOf('proof_method'), algs },
  },
  {
    name: 'RFC 9449 §7.1 a token that is wrong',
    path: '/orders/1',
    request: { claims: { exp: 1 } },
    answer: '401 token_expired',
    dpop: { ...errorOf('token_expired'), algs },
  },
  {
    name: 'RFC 9449 §9 a nonce is wanted',
    path: '/nonce',
    request: {},
    answer: '401 proof_nonce',
    dpop: { ...errorOf('proof_nonce'), algs },
  },
  {
    name: 'RFC 6750 §3.1 a scope is wanted',
    path: '/mcp',
    request: { claims: { scope: 'tools' } },
    answer: '403 scope_insufficient',
    dpop: { ...errorOf('scope_insufficient'), algs, scope: 'tools resources' },
  },
  {
    name: 'RFC 6750 §3.1 a request that is none',
    path: '/orders/1',
    request: { headers: [['Authorization', 'DPoP other']] },
    answer: '400 credentials_multiple',
    dpop: { ...errorOf('credentials_multiple'), algs },
  },
  {
    name: 'RFC 9470 §3 another login is wanted',
    path: '/strict',
    request: { claims: { acr: 'pwd', auth_time: Math.floor(Date.now() / 1000) } },
    answer: '401 authentication_insufficient',
    dpop: { ...stepUp, acr_values: 'urn:example:mfa phr', max_age: '600', algs },
  },
  {
    name: 'RFC 9449 §7.2 no credentials, either scheme will do',
    path: '/mixed',
    request: { credentials: [] },
    answer: '401 credentials_missing',
    dpop: { algs, scope: 'tools' },
    bearer: { scope: 'tools' },
  },
  {
    name: 'RFC 9449 §7.2 a bearer token that is wrong',
    path: '/mixed',
    request: () => bearer({ exp: 1 }),
    answer: '401 token_expired',
    dpop: { algs },
    bearer: errorOf('token_expired'),
  },
  {
    name: 'RFC 9449 §7.2 a bearer token without the scope',
    path: '/mixed',
    request: () => bearer({ scope: 'resources' }),
    answer: '403 scope_insufficient',
    dpop: { algs, scope: 'tools' },
    bearer: { ...errorOf('scope_insufficient'), scope: 'tools' },
  },
  {
    name: 'RFC 9449 §7.2 a proof that is wrong',
    path: '/mixed',
    request: { proof: { method: 'PUT' }, claims: { scope: 'tools' } },
    answer: '401 proof_method',
    dpop: { ...errorOf('proof_method'), algs },
    bearer: {},
  },
  {
    name: 'RFC 9470 §3 another login is wanted, of a bearer token',
    path: '/mixed-strict',
    request: () => bearer({ acr: 'pwd' }),
    answer: '401 authentication_insufficient',
    dpop: { algs },
    bearer: { ...stepUp, acr_values: 'phr' },
  },
]

for (const { name, path, request, answer: expected, dpop, bearer } of CHALLENGES) {
  t.test(`§5.1 ${name}: ${expected}`, async (t) => {
    const given = typeof request === 'function' ? await request() : request
    const answer = await stage.send({ ...given, path })
    t.equal(outcome(answer), expected)
    const resource_metadata = METADATA + path.replace(/\/1$/, '')
    t.strictSame(await challengesOf(answer), [
      { scheme: 'dpop', parameters: { ...dpop, resource_metadata } },
      ...(bearer ? [{ scheme: 'bearer', parameters: { ...bearer, resource_metadata } }] : []),
    ])
    t.equal(answer.values('www-authenticate').length, bearer ? 2 : 1, 'each on a line of its own')
  })
}

t.test('§5.1 what is no refusal of credentials has no challenge', async (t) => {
  for (const path of ['/none', '/.well-known/oauth-protected-resource/none']) {
    t.strictSame(await challengesOf(await stage.send({ path, credentials: [] })), [], path)
  }
})
