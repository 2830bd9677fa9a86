/** `replay.onOutage`, with a Redis that goes away and comes back. */
import t from 'tap'
import { createClient } from '../redis/store.ts'
import { readMetrics } from '../support/metrics.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { createStage, PUBLIC_URL } from '../support/stage.ts'
import { until } from '../support/until.ts'

t.test('local: requests pass without Redis, each proof once', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const settings = `replay: { store: redis, url: '${redis.url}', onOutage: local, timeout: 200ms }`
  const { send, mint, client, adminPort } = await createStage(t, { settings })
  const storeReady = async () => (await readMetrics(adminPort)).get('dpop_replay_store_ready')
  const fallback = async () =>
    (await readMetrics(adminPort)).get('dpop_replay_store_fallback_active{mode="local"}')
  const readiness = () => fetch(`http://127.0.0.1:${adminPort}/readyz`)
  const token = await mint()
  const prove = () => client.proof({ url: `${PUBLIC_URL}/api/orders`, token })
  await until(async () => (await storeReady()) === 1)
  const before = await prove()
  t.match(await send({ token, proof: before }), { status: 200 })

  await redis.stop()
  const proof = await prove()
  t.match(await send({ token, proof }), { status: 200 })
  const replayed = { status: 401, code: 'proof_replayed' }
  t.match(await send({ token, proof }), replayed, 'used at this instance')
  t.match(await send({ token, proof: before }), replayed, 'used before the outage')
  await until(async () => (await storeReady()) === 0)
  t.equal(await fallback(), 1)
  const answer = await readiness()
  t.equal(answer.status, 200)
  t.match(await answer.json(), {
    status: 'ready',
    components: { replayStore: { ready: true, reason: /^Redis at 127\.0\.0\.1:\d+ / } },
  })

  await redis.start()
  await until(async () => (await storeReady()) === 1)
  t.match(await send({ token, proof }), replayed, 'Redis is empty, but this instance knows')
  t.match(await send({ token, proof: await prove() }), { status: 200 })
})

t.test('nonce: without Redis each request needs a new nonce', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const settings = [
    "nonce: { secrets: ['0123456789abcdef0123456789abcdef'] }",
    `replay: { store: redis, url: '${redis.url}', onOutage: nonce, timeout: 200ms }`,
  ].join('\n')
  const { send, mint, client, adminPort, log } = await createStage(t, { settings })
  const metric = async (name: string) => (await readMetrics(adminPort)).get(name)
  const token = await mint()
  const prove = (nonce?: string) =>
    client.proof({ url: `${PUBLIC_URL}/api/orders`, token, claims: { ...(nonce && { nonce }) } })
  const passes = async () => (await send({ token })).status === 200
  await until(async () => (await metric('dpop_replay_store_ready')) === 1)
  const before = await prove()
  const first = await send({ token, proof: before })
  t.equal(first.status, 200)
  t.strictSame(first.values('dpop-nonce'), [], 'none is handed out while all is well')

  await redis.stop()
  let nonce = ''
  await until(async () => {
    const { status, code, values } = await send({ token })
    ;[nonce = ''] = values('dpop-nonce')
    t.ok(status === 503 || status === 401, String(status))
    if (status === 401) t.equal(code, 'proof_nonce')
    return status === 401
  })
  t.match(await send({ token, proof: before }), { status: 401, code: 'proof_nonce' })
  const proof = await prove(nonce)
  t.equal((await send({ token, proof })).status, 200)
  t.match(await send({ token, proof }), { status: 401, code: 'proof_replayed' })
  t.equal(await metric('dpop_replay_store_fallback_active{mode="nonce"}'), 1)
  t.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200)
  t.ok(log().some((line) => line['component'] === 'replayStore' && line['onOutage'] === 'nonce'))

  await redis.start()
  const codes = new Set<string | undefined>()
  await until(async () => {
    for (const used of [before, proof]) codes.add((await send({ token, proof: used })).code)
    return passes()
  }, 15_000)
  for (const used of [before, proof]) codes.add((await send({ token, proof: used })).code)
  t.notOk(codes.has(undefined), 'nothing passes twice')
  t.equal(await metric('dpop_replay_store_fallback_active{mode="nonce"}'), 0)
})

t.test('what Redis could not check is counted by the reason', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const settings = `replay: { store: redis, url: '${redis.url}', timeout: 5s }`
  const { send, adminPort } = await createStage(t, { settings })
  t.match(await send(), { status: 200 })
  await redis.stop()
  t.match(await send(), { status: 503, code: 'replay_store_unavailable' })
  const name = 'dpop_replay_store_failures_total{reason="disconnected"}'
  t.equal((await readMetrics(adminPort)).get(name), 1)
})

t.test('local: error replies are an outage too', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const settings = `replay: { store: redis, url: '${url}', onOutage: local, timeout: 5s }`
  const { send, adminPort, log } = await createStage(t, { settings })
  const metric = async (name: string) => (await readMetrics(adminPort)).get(name)
  await until(async () => (await metric('dpop_replay_store_ready')) === 1)
  const admin = createClient(t, url)
  await admin.config('SET', 'maxmemory', '1')
  t.match(await send(), { status: 200 })
  t.equal(await metric('dpop_replay_store_ready'), 0)
  t.equal(await metric('dpop_replay_store_fallback_active{mode="local"}'), 1)
  t.equal(await metric('dpop_replay_store_failures_total{reason="OOM"}'), 1)
  t.ok(
    log().some(({ msg, onOutage }) => /no memory left/.test(String(msg)) && onOutage === 'local'),
  )
  await admin.config('SET', 'maxmemory', '0')
  await until(async () => (await metric('dpop_replay_store_ready')) === 1)
  t.equal(await metric('dpop_replay_store_fallback_active{mode="local"}'), 0)
})
