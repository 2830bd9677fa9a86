/** Introspection beside other issuers: who is asked about which token, and who never sees it. */
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { createAuthority, type Authority } from '../support/jwks-server.ts'
import { createStage } from '../support/stage.ts'
import { answerTable } from './table.ts'

/** The YAML of another issuer, its members indented below its name. */
function second({ issuer }: Authority, members: string): string {
  const lines = [`issuer: ${issuer}`, ...members.split('\n')]
  return ['second:', ...lines.map((line) => `  ${line}`)].join('\n')
}

t.test('one that is asked and one that is not', async (t) => {
  const other = await createAuthority(t)
  const stage = await createStage(t, {
    issuer: introspected({ introspection: { always: true } }),
    moreIssuers: second(other, 'audience: none'),
    routes: ({ url }) =>
      [
        `- { name: both, path: /both/*, upstream: ${url} }`,
        `- { name: asked, path: /asked/*, upstream: ${url}, issuers: [main] }`,
        `- { name: other, path: /other/*, upstream: ${url}, issuers: [second] }`,
      ].join('\n'),
  })
  const { introspection } = stage.authority
  const cnf = { jkt: stage.client.thumbprint }
  const opaque = stage.issue()
  const foreign = await other.mint({ cnf })
  const forged = await other.mint({ cnf, iss: stage.authority.issuer })
  answerTable(t, stage, [
    { name: 'opaque, both', path: '/both/x', token: opaque, answer: '200' },
    { name: 'opaque, asked', path: '/asked/x', token: opaque, answer: '200' },
    { name: 'opaque, other', path: '/other/x', token: opaque, answer: '401 token_malformed' },
    { name: 'a JWT of the other, both', path: '/both/x', token: foreign, answer: '200' },
    { name: 'a JWT of the other, other', path: '/other/x', token: foreign, answer: '200' },
    {
      name: 'a JWT of the other, asked',
      path: '/asked/x',
      token: foreign,
      answer: '401 token_issuer',
    },
    {
      name: '#244 an answer in the name of the other',
      path: '/both/x',
      token: stage.issue({ iss: other.issuer }),
      answer: '401 token_issuer',
    },
    {
      name: '#221 a JWT signed by the other in the name of the one asked',
      path: '/both/x',
      token: forged,
      answer: '401 token_inactive',
    },
  ])
  t.test('no token of the other went to the one asked', async (t) => {
    const sent = introspection.requests.map(({ form }) => form.get('token'))
    t.notOk(sent.includes(foreign))
    t.equal(other.introspection.requests.length, 0)
  })
})

t.test('#241 two that are asked about the same opaque token', async (t) => {
  const other = await createAuthority(t)
  const stage = await createStage(t, {
    issuer: introspected(),
    moreIssuers: second(other, introspected()),
    routes: ({ url }) =>
      [
        `- { name: first, path: /first/*, upstream: ${url}, issuers: [main] }`,
        `- { name: second, path: /second/*, upstream: ${url}, issuers: [second] }`,
      ].join('\n'),
  })
  const token = stage.issue()
  const own = other.introspection.issue({ cnf: { jkt: stage.client.thumbprint } })
  answerTable(t, stage, [
    { name: 'at its own', path: '/first/x', token, answer: '200' },
    { name: 'at the other', path: '/second/x', token, answer: '401 token_inactive' },
    { name: 'at its own again', path: '/first/x', token, answer: '200' },
    {
      name: 'of the other, not at its own',
      path: '/first/x',
      token: own,
      answer: '401 token_inactive',
    },
    { name: 'of the other, at its own', path: '/second/x', token: own, answer: '200' },
  ])
  t.test('the breaker of one is not that of the other', async (t) => {
    other.introspection.behave(503)
    const path = '/second/x'
    const rows = Array.from({ length: 7 }, (_, at) => {
      return { name: `failing ${at}`, path, token: `x${at}`, answer: '503 issuer_unavailable' }
    })
    answerTable(t, stage, [
      ...rows,
      { name: 'the first', path: '/first/x', token: stage.issue(), answer: '200' },
    ])
    t.test('five were asked', async (t) => {
      t.equal(other.introspection.requests.length, 2 + 5)
    })
  })
})
