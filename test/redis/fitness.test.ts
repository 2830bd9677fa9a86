import t from 'tap'
import { createRedisReplayStore } from '../../src/redis/replay-store.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { createClient, createReadyStore, createStore, refusalOf } from './store.ts'

const EVICTING = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']

t.test(
  'a Redis that evicts is refused until it no longer does',
  { skip: redisMissing },
  async (t) => {
    const redis = await startRedis(t, EVICTING)
    const store = createStore(t, { url: redis.url })
    await until(() => store.events.length > 0)
    t.match(store.status(), { ready: false, reason: /maxmemory-policy is allkeys-lru.*noeviction/ })
    t.equal(await refusalOf(store), 'not ready')

    await createClient(t, redis.url).config('SET', 'maxmemory-policy', 'noeviction')
    await until(() => store.status().ready)
    t.equal(await refusalOf(store), undefined)
    t.equal(store.events.length, 2, 'each state is reported once')
  },
)

t.test('unsafeEviction accepts it, and says so', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t, EVICTING)
  const store = await createReadyStore(t, { url, unsafeEviction: true })
  t.equal(await refusalOf(store), undefined)
  t.match(store.events, [/^warn: .* may evict proofs, as replay\.unsafeEviction allows$/])
})

t.test('an eviction policy without a limit does nothing', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t, ['--maxmemory-policy', 'allkeys-lru'])
  t.equal(await refusalOf(await createReadyStore(t, { url })), undefined)
})

t.test('#181 NOAUTH, WRONGPASS, and the right password', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t, ['--requirepass', 'p@ss/word'])
  const none = createStore(t, { url })
  const wrong = createStore(t, { url: url.replace('//', '//:not-it-at-all@') })
  await until(() => none.events.length > 0 && wrong.events.length > 0)
  t.match(none.status(), { ready: false, reason: /asks for a password/ })
  t.match(wrong.status(), { ready: false, reason: /refuses the user name or password/ })
  t.equal(await refusalOf(none), 'not ready')
  t.notMatch(JSON.stringify([wrong.events, wrong.status()]), 'not-it-at-all')

  const right = await createReadyStore(t, { url: url.replace('//', '//default:p%40ss%2Fword@') })
  t.equal(await refusalOf(right), undefined)
})

t.test('a user that may not run INFO is told what it lacks', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const admin = createClient(t, url)
  await admin.acl('SETUSER', 'gateway', 'on', '>secret', '~*', '+set')
  const store = createStore(t, { url: url.replace('//', '//gateway:secret@') })
  await until(() => store.events.length > 0)
  t.match(store.status(), { ready: false, reason: /grant \+set, \+get and \+info/ })
  await admin.acl('SETUSER', 'gateway', '+info')
  await until(() => store.status().ready)
  t.equal(await refusalOf(store), undefined)
})

t.test('database and key prefix of the URL and options', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const store = await createReadyStore(t, { url: `${url}/3`, keyPrefix: 'gw:' })
  await refusalOf(store)
  const names = (await createClient(t, `${url}/3`).keys('*')).sort()
  t.match(names, [/^gw:([\w-]{43}|epoch)$/, /^gw:([\w-]{43}|epoch)$/])
})

t.test('over a Unix socket', { skip: redisMissing }, async (t) => {
  const socket = `${t.testdir()}/redis.sock`
  await startRedis(t, ['--unixsocket', socket])
  const store = await createReadyStore(t, { url: `redis+unix://${socket}?db=1` })
  t.equal(await refusalOf(store), undefined)
})

t.test('a URL that cannot be used is not repeated', async (t) => {
  for (const url of ['redis://:hunter2@[', 'http://:hunter2@h', 'redis://:hunter2@h/x']) {
    t.throws(() => createRedisReplayStore({ url }), /^the Redis URL/)
    try {
      createRedisReplayStore({ url })
    } catch (error) {
      t.notMatch(`${String(error)} ${JSON.stringify(error)}`, 'hunter2')
    }
  }
})

t.test('close never hangs and refuses from then on', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const idle = await createReadyStore(t, { url: redis.url })
  idle.close()
  idle.close()
  t.equal(await refusalOf(idle), 'not ready')

  const busy = await createReadyStore(t, { url: redis.url })
  redis.freeze()
  const claim = refusalOf(busy)
  busy.close()
  t.ok(await claim, 'what was in flight is refused')

  await redis.stop()
  const down = createStore(t, { url: redis.url })
  await until(() => down.events.length > 0)
  down.close()
  t.match(down.status(), { ready: false, reason: /no longer used$/ })
})
