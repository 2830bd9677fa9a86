/** RFC 9470: how, and how long ago, the user has to have logged in. */
import t, { type Test } from 'tap'
import { REFUSALS } from '../../src/denial.ts'
import { challengesOf } from '../support/challenges.ts'
import type { Overrides } from '../support/jwks-server.ts'
import { createStage, type Answer } from '../support/stage.ts'
import { outcome } from './table.ts'

const NOW = Math.floor(Date.now() / 1000)
const REFUSED = '401 authentication_insufficient'
const { description } = REFUSALS.authentication_insufficient

const stageWith = (t: Test, rules: string) =>
  createStage(t, {
    routes: ({ url }) => `- { name: api, path: /api/*, upstream: ${url}, ${rules} }`,
    clock: () => NOW,
  })

const challenge = (answer: Answer) => challengesOf(answer).join('\n')

const ACR: readonly (readonly [name: string, acr: unknown, answer: string])[] = [
  ['the first', 'urn:example:mfa', '200'],
  ['the second', 'phr', '200'],
  ['another', 'pwd', REFUSED],
  ['in another case', 'PHR', REFUSED],
  ['with a space', 'phr ', REFUSED],
  ['both in one text', 'urn:example:mfa phr', REFUSED],
  ['a list', ['phr'], REFUSED],
  ['an object', { phr: true }, REFUSED],
  ['a number', 1, REFUSED],
  ['empty', '', REFUSED],
  ['null', null, REFUSED],
  ['missing', undefined, REFUSED],
]

t.test('§3 acr: any of the list', async (t) => {
  const stage = await stageWith(t, 'acr: ["urn:example:mfa", phr]')
  for (const [name, acr, expected] of ACR) {
    const answer = await stage.send({ claims: { acr } })
    t.equal(outcome(answer), expected, name)
    if (answer.status === 200) continue
    const error = `error="insufficient_user_authentication", error_description="${description}"`
    t.equal(challenge(answer), `DPoP ${error}, acr_values="urn:example:mfa phr"`, name)
    t.match(JSON.parse(answer.body), { error: 'insufficient_user_authentication' })
  }
  t.equal(stage.upstream.requests.length, 2)
})

const AUTH_TIME: readonly (readonly [name: string, authTime: unknown, answer: string])[] = [
  ['now', NOW, '200'],
  ['exactly at the limit', NOW - 600, '200'],
  ['one past it', NOW - 601, REFUSED],
  ['a fraction past it', NOW - 600.5, REFUSED],
  ['by a clock that is ahead', NOW + 30, '200'],
  ['far in the future', NOW + 3600, REFUSED],
  ['in milliseconds, which would never age', NOW * 1000, REFUSED],
  ['a string', String(NOW), REFUSED],
  ['a date', new Date(NOW * 1000).toISOString(), REFUSED],
  ['a list', [NOW], REFUSED],
  ['true', true, REFUSED],
  ['0', 0, REFUSED],
  ['below 0', -NOW, REFUSED],
  ['null', null, REFUSED],
  ['missing', undefined, REFUSED],
]

t.test('§3 max_age: auth_time', async (t) => {
  const stage = await stageWith(t, 'maxAuthAge: 10m')
  for (const [name, auth_time, expected] of AUTH_TIME) {
    const answer = await stage.send({ claims: { auth_time, iat: NOW } })
    t.equal(outcome(answer), expected, name)
    if (answer.status === 200) continue
    t.match(challenge(answer), /^DPoP error="insufficient_user_authentication", .*, max_age="600"$/)
    t.notMatch(challenge(answer), /acr_values/)
  }
})

t.test('§3 max_age: a number JSON has no word for', async (t) => {
  const stage = await stageWith(t, 'maxAuthAge: 10m')
  const claims: Overrides = {
    ...{ iss: stage.authority.issuer, aud: 'https://api.example.com', exp: NOW + 300 },
    ...{ cnf: { jkt: stage.client.thumbprint }, auth_time: '@' },
  }
  const token = await stage.authority.sign(JSON.stringify(claims).replace('"@"', '1e400'))
  t.equal(outcome(await stage.send({ token })), REFUSED)
})

t.test('§3 both, and a token that is kept is asked again as time goes by', async (t) => {
  let now = NOW
  const stage = await createStage(t, {
    routes: ({ url }) =>
      `- { name: api, path: /api/*, upstream: ${url}, acr: [mfa], maxAuthAge: 10m }`,
    clock: () => now,
  })
  const both = 'acr_values="mfa", max_age="600"'
  for (const claims of [{ acr: 'mfa' }, { auth_time: NOW }, { acr: 'pwd', auth_time: NOW }]) {
    const answer = await stage.send({ claims })
    t.equal(outcome(answer), REFUSED, JSON.stringify(claims))
    t.ok(challenge(answer).endsWith(both), challenge(answer))
  }
  const token = await stage.mint({ acr: 'mfa', auth_time: NOW - 599 })
  const send = async () => outcome(await stage.send({ token, proof: { claims: { iat: now } } }))
  const outcomes: string[] = []
  for (const seconds of [0, 1, 2]) {
    now = NOW + seconds
    outcomes.push(await send())
  }
  t.strictSame(outcomes, ['200', '200', REFUSED])
})

t.test('what the login cannot mend is said first', async (t) => {
  const stage = await stageWith(t, 'acr: [mfa], scopes: [admin], claims: { tenant: acme }')
  const [scope, tenant] = ['admin', 'acme']
  const rows = [
    ['403 scope_insufficient', {}],
    ['403 scope_insufficient', { tenant, acr: 'mfa' }],
    ['403 claim_refused', { scope }],
    [REFUSED, { scope, tenant }],
    ['200', { scope, tenant, acr: 'mfa' }],
  ] as const
  for (const [answer, claims] of rows) t.equal(outcome(await stage.send({ claims })), answer)
})

t.test('a proof is not used up by it, and is checked before', async (t) => {
  const rest = ({ url }: { readonly url: string }) => `\
- { name: api, path: /api/*, upstream: ${url}, acr: [mfa], methods: [GET] }
- { name: any, path: /api/*, upstream: ${url}, methods: [POST] }`
  const stage = await createStage(t, { routes: rest })
  t.equal(outcome(await stage.send({ proof: { method: 'POST' } })), '401 proof_method')
  t.equal(outcome(await stage.send({ method: 'POST' })), '200', 'another route asks for less')
  const token = await stage.mint()
  const proof = await stage.client.proof({ url: 'https://api.example.com/api/orders', token })
  for (const nth of ['first', 'second']) {
    t.equal(outcome(await stage.send({ token, proof })), REFUSED, nth)
  }
})
