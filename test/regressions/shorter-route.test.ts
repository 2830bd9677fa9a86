/**
 * With one publicUrl two routes can take the same proof. Remembered only for as long as the route
 * that took it first would accept it, it could be used again at the other.
 */
import t from 'tap'
import { startRedis, redisMissing } from '../support/redis.ts'
import { createStage } from '../support/stage.ts'
import { Redis } from 'ioredis'

t.test(
  'a proof is remembered as long as any route accepts it',
  { skip: redisMissing },
  async (t) => {
    const redis = await startRedis(t)
    const { send } = await createStage(t, {
      settings: `replay: { store: redis, url: "${redis.url}", timeout: 2s }`,
      routes: ({ url }) => `\
- { name: short, path: /api/*, upstream: ${url}, dpop: { maxAge: 5s, clockSkew: 0s } }
- { name: long, host: long.example.com, path: /api/*, upstream: ${url}, dpop: { maxAge: 1h } }`,
    })
    t.match(await send(), { status: 200 })
    const client = new Redis(redis.url)
    t.teardown(() => {
      client.disconnect()
    })
    const keys = await client.keys('dpop:*')
    const [key = ''] = keys.filter((it) => it !== 'dpop:epoch')
    t.ok((await client.pttl(key)) > 3_600_000, 'as the longer one, its clock skew included')
  },
)
