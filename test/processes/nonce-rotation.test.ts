/**
 * Two gateways that share Redis and the secrets of their nonces, behind one address, and real
 * clients that go on while the secrets are changed by restarting one gateway after the other.
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createClient } from '../../demo/client.ts'
import { startIssuer } from '../../demo/issuer.ts'
import { choosePort } from '../../demo/listen.ts'
import { createNonces } from '../../src/dpop/nonce.ts'
import { startGateway, type GatewayProcess } from '../support/process.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { startUpstream } from '../support/upstream.ts'
import { startSwitchboard } from './switchboard.ts'
import { closeAfter } from './topology.ts'

const CLIENTS = 6
const LONGEST_PAUSE_MS = 40
/** The shortest there is: within half of it every client gets a new nonce. */
const LIFETIME_SECONDS = 10
/** What takes longer is for a machine that has stopped to work. */
const PATIENCE_MS = 40_000

const FIRST = 'the first secret of these gateways'
const SECOND = 'the second secret of these gateways'
const THIRD = 'the third secret of these gateways'

/** A request of the application, which its client sends as often as it has to. */
interface Sent {
  readonly nth: number
  /** From the start of the one before until this one is through. */
  sinceLastMs: number
  status: number
  /** Of an answer that is no success. */
  body?: string
  /** How often a nonce was asked for. */
  rounds: number
}

t.test('secrets of nonces are changed under load', { skip: redisMissing }, async (t) => {
  const sent = new Map<string, Sent>()
  /** Those that came with 200. */
  const renewed: string[] = []
  const fleet = await startFleet(t, [FIRST], ({ id, status, challenge = '', nonce }) => {
    const request = sent.get(id)
    if (request && challenge.includes('error="use_dpop_nonce"')) request.rounds += 1
    if (status === 200 && nonce !== undefined) renewed.push(nonce)
  })
  const load = startLoad(fleet, sent)
  // The first request of a client has none yet; one that waited for long may have lost it.
  const rounds = () =>
    [...sent.values()]
      .filter(({ nth, sinceLastMs }) => nth > 1 && sinceLastMs < (LIFETIME_SECONDS / 2) * 1000)
      .reduce((sum, request) => sum + request.rounds, 0)
  /** Until clients have got such nonces, and have used them at both gateways. */
  async function untilInUse(secret: string): Promise<void> {
    const nonces = createNonces({ secrets: [secret], lifetimeSeconds: LIFETIME_SECONDS })
    const isOfIt = (nonce: string) => nonces.expiryOf(nonce, Date.now() / 1000) !== undefined
    const start = renewed.length
    await until(() => renewed.slice(start).filter(isOfIt).length >= CLIENTS / 2, PATIENCE_MS)
    const count = sent.size + 10 * CLIENTS
    await until(() => sent.size > count, PATIENCE_MS)
  }

  await t.test('at first each client is asked for a nonce, once', async (t) => {
    const firsts = () => [...sent.values()].filter(({ nth, status }) => nth === 1 && status !== 0)
    await until(() => firsts().length === CLIENTS && sent.size > 10 * CLIENTS, PATIENCE_MS)
    t.ok(firsts().every((request) => request.rounds === 1))
    t.equal(rounds(), 0)
  })

  await t.test('in one step it costs rounds, and no request two', async (t) => {
    await fleet.restart(0, [SECOND, FIRST])
    // What the first now makes, the second does not take yet.
    await until(() => rounds() > 0, PATIENCE_MS)
    await fleet.restart(1, [SECOND, FIRST])
    t.comment(`${rounds()} rounds for ${sent.size} requests`)
  })

  await t.test('in two steps it costs none', async (t) => {
    const before = rounds()
    await fleet.restart(0, [SECOND, THIRD, FIRST])
    await fleet.restart(1, [SECOND, THIRD, FIRST])
    await fleet.restart(0, [THIRD, SECOND, FIRST])
    await untilInUse(THIRD)
    await fleet.restart(1, [THIRD, SECOND, FIRST])
    await untilInUse(THIRD)
    t.equal(rounds() - before, 0)
  })

  await load.stop()
  const all = [...sent.values()]
  t.comment(`${all.length} requests, ${renewed.length} nonces renewed`)
  const failed = all.filter(({ status }) => status !== 200)
  t.strictSame(failed.slice(0, 5), [], `requests that have failed: ${failed.length}`)
  const twice = all.filter((request) => request.rounds > 1)
  t.strictSame(twice, [], 'none was refused twice')
})

interface Observed {
  readonly id: string
  readonly status: number | undefined
  readonly challenge: string | undefined
  readonly nonce: string | undefined
}

interface Fleet {
  readonly publicUrl: string
  readonly issuer: string
  /** As an operator does: drained, out of use, stopped, started, ready, in use again. */
  readonly restart: (index: 0 | 1, secrets: readonly string[]) => Promise<void>
}

async function startFleet(
  t: Test,
  secrets: readonly string[],
  observe: (observed: Observed) => void,
): Promise<Fleet> {
  const redis = await startRedis(t)
  const upstream = await startUpstream(t)
  const [port, issuerPort] = [await choosePort(0), await choosePort(0)]
  const [publicUrl, issuer] = [`http://localhost:${port}`, `http://localhost:${issuerPort}`]
  closeAfter(t, await startIssuer({ issuer, audience: publicUrl, port: issuerPort }))
  const switchboard = await startSwitchboard(t, port, (asked, { statusCode, headers }) => {
    observe({
      id: String(asked.headers['x-request']),
      status: statusCode,
      challenge: headers['www-authenticate'],
      nonce: headers['dpop-nonce']?.toString(),
    })
  })

  const folder = t.testdir({})
  async function start(index: number, list: readonly string[]): Promise<GatewayProcess> {
    // JSON is YAML as well.
    const config = JSON.stringify({
      server: { listen: '127.0.0.1:0', publicUrl, drain: { delay: '500ms', timeout: '5s' } },
      admin: { listen: '127.0.0.1:0' },
      issuers: { main: { issuer, audience: publicUrl } },
      // All of it shares the processors of this machine: what comes late is no outage.
      replay: { store: 'redis', url: redis.url, timeout: '5s' },
      dpop: { nonce: 'required' },
      nonce: { secrets: list, lifetime: `${LIFETIME_SECONDS}s` },
      routes: [{ name: 'orders', path: '/orders/*', upstream: upstream.url }],
    })
    const file = join(folder, `gateway-${index}.yaml`)
    writeFileSync(file, config)
    const gateway = await startGateway(t, file)
    await gateway.untilReady()
    return gateway
  }

  const gateways = await Promise.all([start(0, secrets), start(1, secrets)])
  const use = (...inUse: readonly GatewayProcess[]) => {
    switchboard.use(inUse.map(({ traffic }) => traffic))
  }
  use(...gateways)
  return {
    publicUrl,
    issuer,
    async restart(index, list) {
      const { signal, readiness, ended } = gateways[index]
      signal('SIGTERM')
      // What a load balancer goes by: until it has noticed it sends requests there.
      await until(async () => (await readiness()).status === 503)
      use(gateways[1 - index] ?? gateways[0])
      await ended
      gateways[index] = await start(index, list)
      use(...gateways)
    },
  }
}

/** Each client sends one request after the other, at irregular steps. */
function startLoad({ issuer, publicUrl }: Fleet, sent: Map<string, Sent>) {
  let isOver = false
  async function run(index: number): Promise<void> {
    const client = await createClient(issuer, publicUrl)
    const token = await client.requestToken('orders:read')
    const url = `${publicUrl}/orders/${index}`
    let last = performance.now()
    for (let nth = 1; !isOver; nth += 1) {
      const id = randomUUID()
      const start = performance.now()
      const request: Sent = { nth, sinceLastMs: start - last, status: 0, rounds: 0 }
      sent.set(id, request)
      const response = await client.send(token, { url, headers: { 'X-Request': id } })
      const body = await response.text()
      if (!response.ok) request.body = body
      request.status = response.status
      request.sinceLastMs = performance.now() - last
      last = start
      await pause(Math.random() * LONGEST_PAUSE_MS)
    }
  }
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => run(index)))
  clients.catch(() => undefined) // Thrown by `stop`: until then it is not to end the process.
  return {
    async stop() {
      isOver = true
      await clients
    },
  }
}
