import t from 'tap'
import { sendRaw } from '../support/raw-http.ts'
import { closedUrl } from '../support/raw-upstream.ts'
import { readMetrics } from '../support/metrics.ts'
import { createStage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const DURATION = 'http_server_request_duration_seconds'
const CLOCK = 'dpop_proof_clock_difference_seconds'

/** A request is counted when its answer is through, which its client may see a moment earlier. */
async function metricsWith(adminPort: number, series: string, value: number) {
  await until(async () => (await readMetrics(adminPort)).get(series) === value)
  return readMetrics(adminPort)
}

const requests = (method: string, status: number, route: string) =>
  `${DURATION}_count{http_request_method="${method}",http_response_status_code="${status}",http_route="${route}"}`

t.test('requests by method, status and route', async (t) => {
  const { adminPort, send } = await createStage(t)
  await send()
  await send()
  await send({ method: 'POST', credentials: [] })
  await send({ path: '/elsewhere', credentials: [] })
  await send({ method: 'PROPFIND' })
  await send({ method: 'MKCOL' })
  const metrics = await metricsWith(adminPort, requests('_OTHER', 200, 'api'), 2)
  t.equal(metrics.get(requests('GET', 200, 'api')), 2)
  t.equal(metrics.get(requests('POST', 401, 'api')), 1)
  t.equal(metrics.get(requests('GET', 404, 'none')), 1)
  const all = [...metrics.keys()].filter((series) => series.startsWith(`${DURATION}_count`))
  t.equal(all.length, 4, 'and no others: a method of the client makes no series')
  const sum = requests('GET', 200, 'api').replace('_count{', '_sum{')
  const seconds = metrics.get(sum) ?? 0
  t.ok(seconds > 0 && seconds < 10, `${seconds} s`)
})

t.test('refusals by route and code', async (t) => {
  const { adminPort, port, send } = await createStage(t)
  await send({ proof: { method: 'PUT' } })
  await send({ proof: { method: 'PUT' } })
  await send({ path: '/elsewhere' })
  await send()
  await sendRaw(port, 'no HTTP at all\r\n\r\n')
  const series = (route: string, code: string) =>
    `dpop_refusals_total{route="${route}",code="${code}"}`
  const metrics = await metricsWith(adminPort, series('none', 'header_invalid'), 1)
  t.equal(metrics.get(series('api', 'proof_method')), 2)
  t.equal(metrics.get(series('none', 'route_unknown')), 1)
  const all = [...metrics].filter(([name]) => name.startsWith('dpop_refusals_total'))
  t.equal(all.length, 3, 'a request that passed is none')
  const counted = [...metrics].filter(([name]) => name.startsWith(`${DURATION}_count`))
  const total = counted.reduce((sum, [, value]) => sum + value, 0)
  t.equal(total, 4, 'what never became a request has no duration')
})

t.test('the clock of the gateway less iat, of accepted proofs alone', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const { adminPort, send } = await createStage(t, { clock: () => now })
  await send({ proof: { claims: { iat: now - 4 } } })
  await send({ proof: { claims: { iat: now + 2 } } })
  await send({ proof: { claims: { iat: now - 1000 } } })
  await send({ credentials: [] })
  await metricsWith(adminPort, requests('GET', 401, 'api'), 2)
  const metrics = await metricsWith(adminPort, requests('GET', 200, 'api'), 2)
  t.equal(metrics.get(`${CLOCK}_count`), 2)
  t.equal(metrics.get(`${CLOCK}_sum`), 2)
  const buckets = { '-5': 0, '-2': 1, '2': 1, '5': 2, '+Inf': 2 }
  for (const [le, count] of Object.entries(buckets)) {
    t.equal(metrics.get(`${CLOCK}_bucket{le="${le}"}`), count, le)
  }
})

t.test('what is ready', async (t) => {
  const { adminPort } = await createStage(t, {
    moreIssuers: `other: { issuer: '${await closedUrl()}', audience: api }`,
    awaitReady: false,
  })
  const metrics = await metricsWith(adminPort, 'dpop_issuer_ready{issuer="main"}', 1)
  t.equal(metrics.get('dpop_issuer_ready{issuer="other"}'), 0)
  t.equal(metrics.get('dpop_replay_store_ready'), 1)
  t.equal(metrics.get('dpop_overloaded'), 0)
  t.equal(metrics.get('log_lines_dropped_total'), 0)
  t.ok(metrics.has('process_cpu_seconds_total'), 'and what the process itself is doing')
})

t.test('it is the text of Prometheus', async (t) => {
  const { adminPort } = await createStage(t)
  const { status, headers } = await fetch(`http://127.0.0.1:${adminPort}/metrics`)
  t.equal(status, 200)
  t.match(headers.get('content-type'), /^text\/plain; version=/)
})
