import t from 'tap'
import { replayKey } from '../../src/dpop/replay.ts'
import { replayStoreContract } from '../dpop/replay-store.contract.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { createClient, createReadyStore, KEY } from './store.ts'
import { startProxy } from './tcp-proxy.ts'

const WITHOUT_GET = (reply: string) => reply.replace(/redis_version:\d\d?/, 'redis_version:6')

t.test('contract', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  let stores = 0
  replayStoreContract(t, (t) => createReadyStore(t, { url, keyPrefix: `${(stores += 1)}:` }))
})

t.test('contract, before Redis 7', { skip: redisMissing }, async (t) => {
  const { port } = await startRedis(t)
  const { url } = await startProxy(t, port, WITHOUT_GET)
  let stores = 0
  replayStoreContract(t, (t) => createReadyStore(t, { url, keyPrefix: `${(stores += 1)}:` }))
})

t.test('before Redis 7 the command has no GET', { skip: redisMissing }, async (t) => {
  const { port } = await startRedis(t)
  const proxy = await startProxy(t, port, WITHOUT_GET)
  const store = await createReadyStore(t, { url: proxy.url })
  await store.take(KEY, 'one', 60)
  t.match(proxy.sent, /\r\n\$2\r\nPX\r\n\$5\r\n60000\r\n\$2\r\nNX\r\n\*2\r\n\$3\r\nget\r\n/)
  t.notMatch(proxy.sent, /\r\nGET\r\n/)
})

t.test(
  '#178 two gateways, one Redis: exactly one claim wins',
  { skip: redisMissing },
  async (t) => {
    const { url } = await startRedis(t)
    const one = await createReadyStore(t, { url })
    const two = await createReadyStore(t, { url })
    for (let round = 0; round < 50; round += 1) {
      const claims = [one, two, one, two].map((store) => store.take(KEY, String(round), 60))
      t.equal((await Promise.all(claims)).filter((free) => free).length, 1)
    }
  },
)

t.test('#172 what is stored tells nothing of jti and key', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const redis = createClient(t, url)
  const store = await createReadyStore(t, { url, keyPrefix: 'dpop:' })
  await store.take(KEY, 'a secret:\n\0jti', 60)

  const names = [`dpop:${replayKey(KEY, 'a secret:\n\0jti')}`, 'dpop:epoch']
  t.same(new Set(await redis.keys('*')), new Set(names))
  const value = await redis.get(`dpop:${replayKey(KEY, 'a secret:\n\0jti')}`)
  t.match(value, /^[\w-]{12}\.1$/, 'the attempt that won')
})

t.test(
  '#183 the time to live is relative, and a second at least',
  { skip: redisMissing },
  async (t) => {
    const { url } = await startRedis(t)
    const redis = createClient(t, url)
    const store = await createReadyStore(t, { url, keyPrefix: '' })
    for (const [ttlSeconds, least, most] of [
      [90, 80_000, 90_000],
      [1.5, 1001, 1500],
      [0.2, 1, 1000],
      [-5, 1, 1000],
    ] as const) {
      const jti = `ttl ${ttlSeconds}`
      await store.take(KEY, jti, ttlSeconds)
      const left = await redis.pttl(replayKey(KEY, jti))
      t.ok(left >= least && left <= most, `${ttlSeconds} s: ${left} ms left`)
    }
  },
)

t.test('one write for all claims of a turn', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const redis = createClient(t, url)
  const store = await createReadyStore(t, { url })
  const reads = async () =>
    Number(/total_reads_processed:(\d+)/.exec(await redis.info('stats'))?.[1])

  const before = await reads()
  await Promise.all(Array.from({ length: 500 }, (_, i) => store.take(KEY, String(i), 60)))
  // A read of Redis takes 16 KiB.
  const needed = (await reads()) - before
  t.ok(needed < 20, `${needed} reads for 500 claims`)
})

t.test('too many claims at once are refused, not queued', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const store = await createReadyStore(t, { url })
  const claims = Array.from({ length: 5010 }, (_, i) => store.take(KEY, String(i), 60))
  const refused = (await Promise.allSettled(claims)).filter(({ status }) => status === 'rejected')
  t.equal(refused.length, 10)
  t.match(refused[0], {
    reason: { code: 'replay_store_unavailable', detail: 'too many in flight' },
  })
})
