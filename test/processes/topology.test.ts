/** Two gateways that share one Redis: a proof used at one of them is used at both. */
import { appendFileSync } from 'node:fs'
import { relative } from 'node:path'
import t, { type Test } from 'tap'
import { Pool } from 'undici'
import { redisMissing } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { nginxMissing, startLoadBalancer } from './load-balancer.ts'
import { createTopology, type Topology } from './topology.ts'

const ROUNDS = 50
const COPIES = 200
const PATH = '/orders/1'

// scripts/test.ts reads it and says at the end what was not run.
const skippedFile = process.env['SKIPPED_TESTS_FILE']
if (nginxMissing !== false && skippedFile !== undefined) {
  appendFileSync(skippedFile, `${relative('.', process.argv[1] ?? 'unknown')}\n`)
}

t.test('two gateways, one Redis', { skip: redisMissing }, async (t) => {
  const topology = await createTopology(t)
  const token = await topology.client.requestToken('orders:read')

  await t.test(`of ${COPIES} copies of one proof one passes`, async (t) => {
    const start = performance.now()
    await race(t, topology, token)
    t.comment(`${Math.round((performance.now() - start) / ROUNDS)} ms a round`)
    const { requests } = topology.upstream
    t.equal(requests.length, ROUNDS, 'the API saw one request of each round')
    t.ok(requests.every((request) => request.values('x-auth-subject')[0] === 'demo-client'))
  })

  await t.test('used at one, refused at the other', async (t) => {
    const [first, second] = topology.gateways
    const headers = await credentials(topology, token)
    t.equal((await fetch(first.traffic + PATH, { headers })).status, 200)
    const copy = await fetch(second.traffic + PATH, { headers })
    t.equal(copy.status, 401)
    t.match(copy.headers.get('www-authenticate'), /^DPoP error="invalid_dpop_proof"/)
    t.match(await copy.json(), { code: 'proof_replayed' })
  })

  await t.test('through the load balancer', { skip: nginxMissing }, async (t) => {
    const { client, gateways, publicUrl } = topology
    await startLoadBalancer(t, publicUrl, gateways)
    const url = publicUrl + PATH
    for (let i = 0; i < 4; i += 1) {
      const response = await client.send(token, {
        url: `${url}?page=${i}`,
        headers: { 'X-Forwarded-For': '203.0.113.9' },
      })
      t.equal(response.status, 200)
      const { rawHeaders } = (await response.json()) as { readonly rawHeaders: readonly string[] }
      t.notOk(rawHeaders.some((value) => value.includes('203.0.113.9')))
    }
    const copies = Array.from({ length: 4 }, async () =>
      fetch(url, { headers: { authorization: `DPoP ${token}`, dpop: client.lastProof() } }),
    )
    t.same(
      (await Promise.all(copies)).map(({ status }) => status),
      [401, 401, 401, 401],
    )
    for (let i = 0; i < 4; i += 1) t.equal((await fetch(`${publicUrl}/status`)).status, 200)
    const served = () => gateways.map(({ log }) => log().some((line) => line['route'] === 'status'))
    await until(() => served().every(Boolean))
  })
})

async function race(t: Test, topology: Topology, token: string): Promise<void> {
  const connections = COPIES / topology.gateways.length
  const pools = topology.gateways.map(({ traffic }) => new Pool(traffic, { connections }))
  for (let round = 0; round < ROUNDS; round += 1) {
    const headers = await credentials(topology, token)
    const answers = Array.from({ length: COPIES / pools.length }, () =>
      pools.map((pool) => ask(pool, headers)),
    )
    const counts = new Map<string, number>()
    for (const answer of await Promise.all(answers.flat())) {
      counts.set(answer, (counts.get(answer) ?? 0) + 1)
    }
    t.same(Object.fromEntries(counts), { '200': 1, '401 proof_replayed': COPIES - 1 })
  }
  await Promise.all(pools.map((pool) => pool.close()))
}

async function credentials({ client, publicUrl }: Topology, token: string) {
  const proof = await client.signProof({ method: 'GET', url: publicUrl + PATH, token })
  return { authorization: `DPoP ${token}`, dpop: proof }
}

async function ask(pool: Pool, headers: Readonly<Record<string, string>>): Promise<string> {
  const { statusCode, body } = await pool.request({ method: 'GET', path: PATH, headers })
  const content = (await body.json()) as { readonly code?: string }
  return [statusCode, content.code].filter((part) => part !== undefined).join(' ')
}
