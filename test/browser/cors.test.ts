/**
 * A page in a real browser that gets its token from a real authorization server, node-oidc-provider,
 * and calls the API on another origin through the gateway, with the client of docs/browsers.md.
 */
import t, { type Test } from 'tap'
import { parseConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLogger } from '../../src/log.ts'
import {
  AUDIENCE,
  REDIRECT_URI,
  RESOURCE,
  SECRET,
  startProvider,
} from '../issuers/oidc-provider.ts'
import { until } from '../support/until.ts'
import { startUpstream } from '../support/upstream.ts'
import { chromiumMissing, openPage } from './chromium.ts'
import { startPageServer } from './page-server.ts'

const INTROSPECTION = {
  endpoint: 'http://127.0.0.1:1/introspection', // Where nothing listens: an outage.
  auth: { method: 'client_secret_basic', clientId: 'gateway-basic', clientSecret: SECRET },
}

/** What becomes of a page whose origin may get tokens, and may use the API or not. */
async function visit(t: Test, { isAllowed }: { readonly isAllowed: boolean }) {
  const page = await startPageServer(t)
  const { issuer, grantCode } = await startProvider(t, { pages: [page.origin] })
  const upstream = await startUpstream(t)
  const origins = [isAllowed ? page.origin : 'http://127.0.0.1:1']
  const { traffic, requests } = await startGateway(t, {
    issuers: { provider: { issuer, audience: AUDIENCE, introspection: INTROSPECTION } },
    dpop: { nonce: 'required' },
    routes: [
      {
        ...{ name: 'api', path: '/api/*', methods: ['GET', 'POST'], upstream: upstream.url },
        cors: { origins, exposeHeaders: ['Retry-After'] },
      },
    ],
  })
  const token = {
    ...{ url: `${issuer}/token`, grant_type: 'authorization_code', client_id: 'public-app' },
    ...{ redirect_uri: REDIRECT_URI, resource: RESOURCE.jwt },
  }
  page.tell({
    settings: { token, api: `${traffic}/api/orders` },
    grantCode: (challenge) => grantCode(challenge, RESOURCE.jwt),
  })
  openPage(t, page.origin)
  const saw = await page.report()
  // The last one of the page.
  await until(() => requests().at(-1)?.endsWith('credentials_missing') === true)
  return { saw, requests, upstream }
}

async function startGateway(t: Test, settings: object) {
  // JSON is YAML as well.
  const text = JSON.stringify({
    server: { listen: '127.0.0.1:0', drain: { delay: '0s', timeout: '2s' } },
    admin: { listen: '127.0.0.1:0' },
    ...settings,
  })
  const lines: string[] = []
  const logger = createLogger({ level: 'info' }, { write: (line) => void lines.push(line) })
  const gateway = createGateway(parseConfig(text, { file: 'gateway.yaml', env: {} }), { logger })
  const { traffic, admin } = await gateway.start()
  t.teardown(() => gateway.stop())
  await until(async () => (await fetch(`${admin}/readyz`)).status === 200)
  const requests = () =>
    lines
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ route }) => route !== undefined)
      .map(({ method, status, code }) => [method, status, code].filter(Boolean).join(' '))
  return { traffic, requests }
}

const PREFLIGHT = 'OPTIONS 204'

t.test('a page of an origin that is allowed', { skip: chromiumMissing }, async (t) => {
  const { saw, requests, upstream } = await visit(t, { isAllowed: true })
  t.equal(saw['failure'], undefined)
  t.match(saw, { extraction: 'InvalidAccessError', token: 200, tokenType: 'DPoP' })
  t.match(saw['challenge'], {
    status: 401,
    nonce: /^[\w.-]+$/,
    challenge: /^DPoP error="use_dpop_nonce"/,
    date: null,
    body: { error: 'use_dpop_nonce', code: 'proof_nonce' },
  })
  t.match(saw['success'], { status: 200, body: { method: 'GET', url: '/api/orders' } })
  t.match(saw['post'], { status: 200, body: { method: 'POST', body: '{"order":1}' } })
  t.match(saw['replay'], {
    status: 401,
    challenge: /^DPoP error="invalid_dpop_proof"/,
    body: { error: 'invalid_dpop_proof', code: 'proof_replayed' },
  })
  t.match(saw['outage'], {
    ...{ status: 503, retryAfter: /^[1-5]$/, challenge: null },
    body: { code: 'issuer_unavailable' },
  })
  t.match(saw['otherHeader'], { failed: 'TypeError' })
  t.match(saw['withoutToken'], {
    ...{ status: 401, challenge: /^DPoP algs=/, body: { code: 'credentials_missing' } },
  })
  t.strictSame(requests(), [
    ...[PREFLIGHT, 'GET 401 proof_nonce'],
    ...['GET 401 proof_nonce', 'GET 200', 'POST 200'], // No preflight: the answer is remembered.
    ...['GET 200', 'GET 401 proof_replayed', 'GET 503 issuer_unavailable'],
    PREFLIGHT, // For a header that no answer has allowed.
    'GET 401 credentials_missing',
  ])
  t.equal(upstream.requests.length, 3)
})

t.test('a page of another origin', { skip: chromiumMissing }, async (t) => {
  const { saw, requests, upstream } = await visit(t, { isAllowed: false })
  t.equal(saw['failure'], undefined)
  t.match(saw, { token: 200, tokenType: 'DPoP' })
  for (const name of ['challenge', 'success', 'post', 'replay', 'outage', 'withoutToken']) {
    t.strictSame(saw[name], { failed: 'TypeError' }, name)
  }
  const [last, ...others] = requests().reverse()
  t.strictSame([...new Set(others)], [PREFLIGHT], 'the browser sends nothing after it')
  t.equal(
    last,
    'GET 401 credentials_missing',
    'a request without a preflight, and no answer to read',
  )
  t.equal(upstream.requests.length, 0)
})
