/** Over HTTP, with two gateways: what Redis forgets is not accepted once more by either. */
import t, { type Test } from 'tap'
import { createClient as createAdmin } from './redis/store.ts'
import { parseConfig } from '../src/config/load.ts'
import { createGateway } from '../src/gateway.ts'
import { createLogger } from '../src/log.ts'
import { writeEpoch } from '../src/redis/epoch.ts'
import { readServerInfo } from '../src/redis/server-info.ts'
import { createClient } from './support/client.ts'
import { AUDIENCE, createAuthority } from './support/jwks-server.ts'
import { redisMissing, startRedis, type TestRedis } from './support/redis.ts'
import { PUBLIC_URL } from './support/stage.ts'
import { startUpstream } from './support/upstream.ts'
import { until } from './support/until.ts'

const URL = `${PUBLIC_URL}/api/orders`
const HARMLESS = ['proof_replayed', 'replay_store_unavailable']

type Rules = '{}' | '{ nonce: required }'

async function createScene(t: Test, redis: TestRedis, rules: Rules) {
  const authority = await createAuthority(t)
  const { url } = await startUpstream(t)
  const client = await createClient()
  const token = await authority.mint({ cnf: { jkt: client.thumbprint } })
  const yaml = `
server: { listen: '127.0.0.1:0', publicUrl: '${PUBLIC_URL}', drain: { delay: 0s, timeout: 2s } }
admin: { listen: '127.0.0.1:0' }
issuers: { main: { issuer: '${authority.issuer}', audience: '${AUDIENCE}' } }
nonce: { secrets: ['0123456789abcdef0123456789abcdef'] }
dpop: ${rules}
replay: { store: redis, url: '${redis.url}', timeout: 2s }
routes: [{ name: api, path: /api/*, upstream: '${url}' }]
`
  const start = async () => {
    const config = parseConfig(yaml, { file: 'gateway.yaml', env: {} })
    const gateway = createGateway(config, { logger: createLogger({ level: 'silent' }) })
    const { traffic, admin } = await gateway.start()
    t.teardown(() => gateway.stop())
    await until(async () => (await fetch(`${admin}/readyz`)).status === 200, 10_000)
    return traffic
  }
  let nonce: string | undefined
  return {
    gateways: [await start(), await start()] as const,
    prove: (ageSeconds = 0) => {
      const iat = Math.floor(Date.now() / 1000) - ageSeconds
      return client.proof({
        url: URL,
        token,
        claims: { iat, ...(nonce !== undefined && { nonce }) },
      })
    },
    /** The code of the refusal, or `passes`. Learns of nonces as clients do. */
    send: async (gateway: string, proof: string): Promise<string> => {
      const headers = { authorization: `DPoP ${token}`, dpop: proof }
      const response = await fetch(`${gateway}/api/orders`, { headers })
      nonce = response.headers.get('dpop-nonce') ?? nonce
      const body = await response.text()
      if (response.status === 200) return 'passes'
      return (JSON.parse(body) as { readonly code: string }).code
    },
  }
}

/** So that proofs may be from before the gateways are started. */
async function beginLongAgo(t: Test, { url }: TestRedis): Promise<void> {
  const admin = createAdmin(t, url)
  const { holder } = readServerInfo(await admin.info(), false)
  const since = Math.floor(Date.now() / 1000) - 3600
  await admin.set('dpop:epoch', writeEpoch({ since, holder }))
}

const FAULTS = {
  FLUSHALL: (t: Test, { url }: TestRedis) => createAdmin(t, url).flushall(),
  'a restart without its data': (_: Test, redis: TestRedis) => redis.start(),
}

for (const [name, fault] of Object.entries(FAULTS)) {
  for (const rules of ['{}', '{ nonce: required }'] as const) {
    t.test(`${name}, dpop: ${rules}`, { skip: redisMissing }, async (t) => {
      const redis = await startRedis(t)
      await beginLongAgo(t, redis)
      const { gateways, prove, send } = await createScene(t, redis, rules)
      const refusal = rules === '{}' ? 'proof_expired' : 'proof_nonce'
      if (rules !== '{}') t.equal(await send(gateways[0], await prove()), 'proof_nonce')
      const used: string[] = []
      for (let i = 0; i < 6; i += 1) {
        for (const gateway of gateways) {
          const proof = await prove(10 * i)
          t.equal(await send(gateway, proof), 'passes')
          used.push(proof)
        }
      }

      await fault(t, redis)
      const codes = new Set<string>()
      const replay = async () => {
        for (const gateway of gateways) {
          for (const proof of used) codes.add(await send(gateway, proof))
        }
      }
      const fresh = new Set<string>()
      for (const gateway of gateways) {
        await until(async () => {
          await replay()
          const code = await send(gateway, await prove())
          fresh.add(code)
          return code === 'passes'
        }, 20_000)
      }
      await replay()
      if (rules === '{}') t.ok(codes.has(refusal), 'what is known to be from before')
      t.notOk(codes.has('passes'), `what was used: ${[...codes].join()}`)
      t.strictSame(
        [...codes].filter((code) => ![...HARMLESS, refusal].includes(code)),
        [],
      )
      const expected = ['passes', 'replay_store_unavailable', ...(rules === '{}' ? [] : [refusal])]
      t.strictSame(
        [...fresh].filter((code) => !expected.includes(code)),
        [],
        'what was new',
      )
    })
  }
}
