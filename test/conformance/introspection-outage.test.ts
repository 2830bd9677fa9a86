/** Group H, #235 and #240: the introspection endpoint fails, and no client is told that it did. */
import t, { type Test } from 'tap'
import type { Fault } from '../support/fault.ts'
import { introspected } from '../support/introspected.ts'
import { createStage, type Answer, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { outcome, sendRow } from './table.ts'

/** pino's numbers for them. */
const [INFO, ERROR] = [30, 50]

const UNAVAILABLE = '503 issuer_unavailable'
const SHORT = { timeout: '500ms' }

/** Refused as an outage: to be tried again, and nothing about the token. */
function isOutage(t: Test, answer: Answer, name: string): void {
  t.equal(outcome(answer), UNAVAILABLE, name)
  t.match(answer.values('retry-after'), [/^[1-5]$/])
  t.strictSame(answer.values('www-authenticate'), [])
}

const sendOpaque = (stage: Stage) => sendRow(stage, { token: stage.issue() })

t.test('#235 #240 faults', async (t) => {
  const stage = await createStage(t, { issuer: introspected({ introspection: SHORT }) })
  const { introspection, requests } = stage.authority
  const behaviours: readonly (number | Fault)[] = [
    ...[201, 204, 400, 401, 403, 404, 429, 500, 502, 503],
    ...(['hang', 'drip', 'reset', 'html', 'redirect', 'large', 'array'] as const),
    ...(['duplicate', 'cut', 'nothing'] as const),
  ]
  for (const behaviour of behaviours) {
    introspection.behave(behaviour)
    const before = introspection.requests.length
    isOutage(t, await sendOpaque(stage), `#240 ${behaviour}`)
    const asked = introspection.requests.length - before
    t.equal(asked, behaviour === 'reset' ? 2 : 1, 'once more only where the connection broke')
    introspection.behave('ok')
    t.equal(outcome(await sendOpaque(stage)), '200', 'an answer keeps the breaker closed')
  }
  t.equal(requests.elsewhere, 0, '#240 no redirect is followed')
})

t.test('#240 nothing listens', async (t) => {
  const endpoint = 'http://127.0.0.1:1/introspect'
  const stage = await createStage(t, { issuer: introspected({ introspection: { endpoint } }) })
  isOutage(t, await sendOpaque(stage), '#240 refused')
  t.match(
    stage.log().find(({ level }) => level === ERROR),
    { issuer: 'main', msg: /ECONNREFUSED/ },
  )
})

t.test('#240 a fault is not remembered', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  const token = stage.issue()
  stage.authority.introspection.behave(500)
  isOutage(t, await sendRow(stage, { token }), '#240 failed')
  stage.authority.introspection.behave('ok')
  t.equal(outcome(await sendRow(stage, { token })), '200')
})

t.test('#240 what is known still passes', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  const token = stage.issue()
  await sendRow(stage, { token })
  stage.authority.introspection.behave(500)
  t.equal(outcome(await sendRow(stage, { token })), '200', 'until cacheFor is over')
})

t.test('#240 hanging: the breaker opens, JWTs pass, and it recovers', async (t) => {
  const stage = await createStage(t, { issuer: introspected({ introspection: SHORT }) })
  const { introspection } = stage.authority
  introspection.behave('hang')
  const since = performance.now()
  const answers = await Promise.all(Array.from({ length: 5 }, () => sendOpaque(stage)))
  t.ok(performance.now() - since < 2_000, 'answered within the timeout')
  for (const answer of answers) isOutage(t, answer, '#240 hanging')
  const { length } = introspection.requests

  isOutage(t, await sendOpaque(stage), '#240 open')
  t.equal(introspection.requests.length, length, 'without a call')
  t.equal(outcome(await sendRow(stage, {})), '200', 'a JWT of the same issuer')

  introspection.behave('ok')
  await until(async () => outcome(await sendOpaque(stage)) === '200', 3_000)
  t.equal(outcome(await sendOpaque(stage)), '200', 'closed at once')
  t.match(
    stage.log().filter(({ msg }) => /^introspection/.test(String(msg))),
    [
      { level: ERROR, msg: /no complete answer in time/ },
      { level: INFO, msg: /works again/ },
    ],
    'a line when it began and one when it ended',
  )
})

t.test('more wait than the queue holds', async (t) => {
  const stage = await createStage(t, {
    issuer: introspected({ introspection: { timeout: '30s' } }),
    drain: '{ delay: 0s, timeout: 100ms }',
  })
  stage.authority.introspection.behave('hang')
  const answers: string[] = []
  for (let count = 0; count < 600; count++) {
    // The token is looked at before the proof, so that none needs to be signed.
    const row = { token: `token-${count}`, proof: 'proof' }
    stage.send(row).then(
      (answer) => answers.push(outcome(answer)),
      () => undefined,
    )
  }
  await until(() => answers.length > 0, 20_000)
  t.strictSame([...new Set(answers)], ['503 overloaded'], 'at once, while hundreds wait')
  t.equal(outcome(await sendRow(stage, {})), '200', 'JWTs wait for nobody')
})

t.test('stopping does not wait for a question', async (t) => {
  const stage = await createStage(t, {
    issuer: introspected({ introspection: { timeout: '30s' } }),
    drain: '{ delay: 0s, timeout: 100ms }',
  })
  const { introspection } = stage.authority
  introspection.behave('hang')
  const asking = sendOpaque(stage).catch(() => undefined)
  await until(() => introspection.requests.length === 1)
  const since = performance.now()
  await stage.stop()
  t.ok(performance.now() - since < 2_000)
  await asking
})

t.test('metadata without the endpoint: not ready, and named', async (t) => {
  const stage = await createStage(t, {
    authority: { metadata: { introspection_endpoint: undefined } },
    issuer: introspected(),
    awaitReady: false,
  })
  const readiness = () => fetch(`http://127.0.0.1:${stage.adminPort}/readyz`)
  const named = /"issuer main":{"ready":false,"reason":"[^"]*no introspection_endpoint/
  await until(async () => named.test(await (await readiness()).text()))
  t.equal((await readiness()).status, 503)
  isOutage(t, await sendOpaque(stage), 'opaque token')
  await until(async () => outcome(await sendRow(stage, {})) === '200')
})

t.test('always, with plain answers: ready without keys', async (t) => {
  const stage = await createStage(t, {
    authority: { metadata: { jwks_uri: undefined } },
    issuer: introspected({ introspection: { always: true } }),
  })
  t.equal(outcome(await sendOpaque(stage)), '200')
})
