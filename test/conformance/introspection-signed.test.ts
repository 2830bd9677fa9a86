/** Group H, #245: answers as signed JWTs (RFC 9701). */
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import type { Signing } from '../support/introspection-endpoint.ts'
import { AUDIENCE, createAuthority } from '../support/jwks-server.ts'
import { createStage } from '../support/stage.ts'
import { outcome, sendRow } from './table.ts'

const SIGNED = introspected({ introspection: { response: 'jwt' } })
const UNAVAILABLE = '503 issuer_unavailable'

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

t.test('#245 signed answers', async (t) => {
  const stage = await createStage(t, { issuer: SIGNED })
  const evil = await createAuthority(t)
  const { introspection } = stage.authority
  const cases: readonly (readonly [name: string, signing: Signing, answer: string])[] = [
    ['valid', {}, '200'],
    [
      'with parameters of the type',
      { type: 'application/token-introspection+jwt; charset=utf-8' },
      '200',
    ],
    ['typ with application/', { header: { typ: 'application/token-introspection+jwt' } }, '200'],
    ['aud an array', { claims: { aud: ['other', 'gateway'] } }, '200'],
    ['plain JSON', { when: 'never' }, UNAVAILABLE],
    ['Content-Type application/jwt', { type: 'application/jwt' }, UNAVAILABLE],
    ['Content-Type application/json', { type: 'application/json' }, UNAVAILABLE],
    ['typ JWT', { header: { typ: 'JWT' } }, UNAVAILABLE],
    ['typ at+jwt', { header: { typ: 'at+jwt' } }, UNAVAILABLE],
    ['typ absent', { header: { typ: undefined } }, UNAVAILABLE],
    ['iss other', { claims: { iss: evil.issuer } }, UNAVAILABLE],
    ['iss absent', { claims: { iss: undefined } }, UNAVAILABLE],
    ['aud other', { claims: { aud: 'other' } }, UNAVAILABLE],
    ['aud the API', { claims: { aud: AUDIENCE } }, UNAVAILABLE],
    ['aud absent', { claims: { aud: undefined } }, UNAVAILABLE],
    ['no answer in it', { claims: { token_introspection: undefined } }, UNAVAILABLE],
    ['an answer that is an array', { claims: { token_introspection: [] } }, UNAVAILABLE],
    [
      'active beside the answer',
      { claims: { active: true, token_introspection: {} } },
      UNAVAILABLE,
    ],
    ['active a text', { claims: { token_introspection: { active: 'true' } } }, UNAVAILABLE],
    ['inactive', { claims: { token_introspection: { active: false } } }, '401 token_inactive'],
    ['unsigned', { edit: (jwt) => unsigned(jwt) }, UNAVAILABLE],
    ['signature cut off', { edit: (jwt) => jwt.replace(/[^.]*$/, '') }, UNAVAILABLE],
    ['claims changed', { edit: (jwt) => changed(jwt) }, UNAVAILABLE],
    ['signed by another', { edit: (jwt) => resigned(jwt) }, UNAVAILABLE],
    ['unknown kid', { header: { kid: 'key-9' } }, UNAVAILABLE],
    ['encrypted, or five parts', { edit: (jwt) => `${jwt}.AAAA.AAAA` }, UNAVAILABLE],
  ]
  function resigned(jwt: string): Promise<string> {
    const [, payload = ''] = jwt.split('.')
    const text = Buffer.from(payload, 'base64url').toString()
    return evil.sign(text, { typ: 'token-introspection+jwt' })
  }
  for (const [name, signing, answer] of cases) {
    introspection.signAnswers(signing)
    t.equal(outcome(await sendRow(stage, { token: stage.issue() })), answer, `#245 ${name}`)
    introspection.signAnswers({})
    // One that is right keeps the breaker closed.
    t.equal(outcome(await sendRow(stage, { token: stage.issue() })), '200')
  }
  const { headers } = introspection.requests[0] ?? {}
  t.equal(headers?.accept, 'application/token-introspection+jwt')
})

function unsigned(jwt: string): string {
  const [, payload = ''] = jwt.split('.')
  return `${encode({ alg: 'none', typ: 'token-introspection+jwt' })}.${payload}.`
}

function changed(jwt: string): string {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  return `${header}.${encode({ ...claims, changed: true })}.${signature}`
}

t.test('#245 a signed answer that was not asked for', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  stage.authority.introspection.signAnswers({ when: 'always' })
  const answer = await sendRow(stage, { token: stage.issue() })
  t.equal(outcome(answer), UNAVAILABLE)
  const [line] = stage.log().filter(({ level }) => level === 50)
  t.match(line, { msg: /set introspection\.response to jwt/ })
})

t.test('RFC 9701 §8.1 a signed answer is no access token', async (t) => {
  const stage = await createStage(t, { issuer: SIGNED })
  const { authority, client } = stage
  const claims = { token_introspection: { active: true, aud: AUDIENCE, iss: authority.issuer } }
  const header = { typ: 'token-introspection+jwt' }
  t.equal(outcome(await sendRow(stage, { claims, tokenHeader: header })), '401 token_type')
  const cnf = { jkt: client.thumbprint }
  const always = introspected({ introspection: { response: 'jwt', always: true } })
  const asking = await createStage(t, { issuer: always })
  const token = await asking.authority.mint({ ...claims, cnf }, header)
  t.equal(outcome(await sendRow(asking, { token })), '401 token_inactive')
})

t.test('#245 the keys of the issuer change', async (t) => {
  const stage = await createStage(t, { issuer: SIGNED })
  t.equal(outcome(await sendRow(stage, { token: stage.issue() })), '200')
  await stage.authority.rotate()
  t.equal(outcome(await sendRow(stage, { token: stage.issue() })), '200', 'the new one is fetched')
})
