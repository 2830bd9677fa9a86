/** `replay.onOutage: local`, with a Redis that goes away and comes back. */
import t from 'tap'
import { readMetrics } from './support/metrics.ts'
import { redisMissing, startRedis } from './support/redis.ts'
import { createStage, PUBLIC_URL } from './support/stage.ts'
import { until } from './support/until.ts'

t.test('requests pass without Redis, each proof once', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const settings = `replay: { store: redis, url: '${redis.url}', onOutage: local, timeout: 200ms }`
  const { send, mint, client, adminPort } = await createStage(t, { settings })
  const storeReady = async () => (await readMetrics(adminPort)).get('dpop_replay_store_ready')
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
