/** Group G: what a JWT access token means for the gateway as a whole. The claims: test/token. */
import t from 'tap'
import { createAuthority } from '../support/jwks-server.ts'
import { createStage } from '../support/stage.ts'
import type { Upstream } from '../support/upstream.ts'
import { answerTable, outcome, sendRow, type Row } from './table.ts'

t.test('#220 iss, #223 exp', async (t) => {
  const stage = await createStage(t)
  const { issuer } = stage.authority
  answerTable(t, stage, [
    { name: '#220 other', claims: { iss: 'https://evil.example' }, answer: '401 token_issuer' },
    { name: '#220 trailing slash', claims: { iss: `${issuer}/` }, answer: '401 token_issuer' },
    { name: '#220 missing', claims: { iss: undefined }, answer: '401 token_issuer' },
    { name: '#223 exp past', claims: { exp: 1 }, answer: '401 token_expired' },
    {
      name: 'wrong token, wrong proof: the token is named',
      claims: { exp: 1 },
      proof: { claims: { htm: 'PUT' } },
      answer: '401 token_expired',
    },
  ])
})

t.test('#221 two issuers with the same kid', async (t) => {
  const second = await createAuthority(t)
  const stage = await createStage(t, {
    moreIssuers: `second: { issuer: "${second.issuer}", audience: none }`,
    routes: ({ url }) =>
      [
        `- { name: first, path: /first/*, upstream: ${url}, issuers: [main] }`,
        `- { name: both, path: /both/*, upstream: ${url} }`,
      ].join('\n'),
  })
  const cnf = { jkt: stage.client.thumbprint }
  const own = await second.mint({ cnf })
  const forged = await second.mint({ cnf, iss: stage.authority.issuer })
  answerTable(t, stage, [
    { name: '#221 of the first', path: '/first/x', answer: '200' },
    { name: '#221 of the first where both are taken', path: '/both/x', answer: '200' },
    { name: '#221 of the second', path: '/both/x', token: own, answer: '200' },
    {
      name: '#221 of the second, from the cache, where the first is asked for',
      path: '/first/x',
      token: own,
      answer: '401 token_issuer',
    },
    {
      name: '#221 in the name of the first, signed by the second',
      path: '/both/x',
      token: forged,
      answer: '401 token_signature',
    },
  ])
})

t.test('#226 scopes', async (t) => {
  const scopes = (wanted: string) => (upstream: Upstream) =>
    `- { name: api, path: /api/*, upstream: ${upstream.url}, scopes: [${wanted}] }`
  const stage = await createStage(t, { routes: scopes('read, write') })
  const refused = '403 scope_insufficient'
  const rows: readonly (readonly [scope: unknown, answer: string])[] = [
    ['read write', '200'],
    ['write other read', '200'],
    [['read', 'write'], '200'],
    ['read', refused],
    ['readwrite', refused],
    ['read writer', refused],
    ['read Write', refused],
    ['read,write', refused],
    ['read\twrite', refused],
    ['', refused],
    [undefined, refused],
    [{ read: 1, write: 1 }, refused],
  ]
  answerTable(
    t,
    stage,
    rows.map(([scope, answer]): Row => {
      return { name: `#226 scope ${JSON.stringify(scope)}`, claims: { scope }, answer }
    }),
  )
  t.test('#226 the challenge names what is needed', async (t) => {
    const answer = await sendRow(stage, { claims: { scope: 'read' } })
    t.match(answer.values('www-authenticate'), [
      /^DPoP error="insufficient_scope", .*scope="read write"/,
    ])
  })
})

t.test('claims that a route asks for', async (t) => {
  const routes = ({ url }: Upstream) =>
    `- { name: api, path: /api/*, upstream: ${url}, claims: { tenant: [acme, 7, true] } }`
  const stage = await createStage(t, { routes })
  const rows = [
    ...['acme', 7, true, ['other', 'acme']].map((tenant) => [tenant, '200'] as const),
    ...[undefined, null, 'Acme', 'acme ', '7', 1, false, [], [['acme']], { acme: 1 }].map(
      (tenant) => [tenant, '403 claim_refused'] as const,
    ),
  ]
  answerTable(
    t,
    stage,
    rows.map(([tenant, answer]): Row => {
      return { name: `claim ${JSON.stringify(tenant)}`, claims: { tenant }, answer }
    }),
  )
})

t.test('#227 sub in a header field', async (t) => {
  const stage = await createStage(t)
  const cases = [
    [undefined, []],
    ['', []],
    ['a\r\nX-Admin: 1', ['a%0D%0AX-Admin: 1']],
    ['a\0b', ['a%00b']],
    ['ünï', ['%C3%BCn%C3%AF']],
    ['50%', ['50%25']],
    [' a ', ['%20a%20']],
    ['\ud800', ['%EF%BF%BD']],
    ['x'.repeat(3000), ['x'.repeat(3000)]],
  ] as const
  for (const [sub, expected] of cases) {
    t.equal(outcome(await sendRow(stage, { claims: { sub } })), '200')
    const received = stage.upstream.requests.at(-1)
    t.strictSame(received?.values('x-auth-subject'), expected, String(sub).slice(0, 20))
    t.strictSame(received?.values('x-admin'), [])
  }
})

t.test('#230 the issuer down', async (t) => {
  const stage = await createStage(t)
  stage.authority.behave('error')
  t.equal(outcome(await sendRow(stage, {})), '200', 'keys that are known still serve')
  const unknown = await sendRow(stage, { tokenHeader: { kid: 'other' } })
  t.equal(outcome(unknown), '503 issuer_unavailable', 'whether it is a new key nobody can say')
  t.match(unknown.values('retry-after'), [/^[1-5]$/])
  t.strictSame(unknown.values('www-authenticate'), [])
  t.equal(outcome(await sendRow(stage, {})), '200')
})

t.test('#232 a revoked token passes until exp', async (t) => {
  let now = Math.floor(Date.now() / 1000)
  const stage = await createStage(t, { clock: () => now })
  const token = await stage.mint({ exp: now + 100 })
  const send = async () => outcome(await sendRow(stage, { token, proof: { claims: { iat: now } } }))
  t.equal(await send(), '200')
  now += 129
  t.equal(await send(), '200', 'kept in the cache, within the clock skew')
  now += 1
  t.equal(await send(), '401 token_expired', 'the cache does not lengthen its life')
})
