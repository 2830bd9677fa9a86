/** Two instances behind a load balancer are restarted one after the other, and no client notices. */
import { randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { choosePort } from '../../demo/listen.ts'
import { createClient } from '../support/client.ts'
import { startGateway, type GatewayProcess } from '../support/process.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { PUBLIC_URL } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { createCast, type Cast } from './cast.ts'
import { haproxyMissing, startHaproxy, type Backend } from './haproxy.ts'

const RESTARTS = 20
const CLIENTS = 6
const PATIENCE_MS = 60_000

interface Member extends Backend {
  readonly start: () => Promise<GatewayProcess>
}

const skip = redisMissing || haproxyMissing

t.test(`${RESTARTS} restarts under load, and no request fails`, { skip }, async (t) => {
  const redis = await startRedis(t)
  const cast = await createCast(t, {
    settings: `replay: { store: redis, url: '${redis.url}', timeout: 5s }`,
    drain: '{ delay: 500ms, timeout: 20s }',
  })
  const members = [await createMember(t, cast, 'a'), await createMember(t, cast, 'b')]
  const gateways = await Promise.all(members.map(({ start }) => start()))
  const url = await startHaproxy(t, members)
  await Promise.all(gateways.map(untilUsed(url)))

  const load = startLoad(cast, url)
  for (let count = 0; count < RESTARTS; count++) {
    const at = count % members.length
    gateways[at]?.signal('SIGTERM')
    t.equal((await gateways[at]?.ended)?.code, 0)
    const gateway = await members[at]?.start()
    if (!gateway) throw new Error('there is no such member')
    gateways[at] = gateway
    await untilUsed(url)(gateway)
  }
  const outcomes = await load.stop()
  t.comment(`${outcomes.length} requests`)
  t.ok(outcomes.length > RESTARTS * CLIENTS)
  t.strictSame(outcomes.filter((outcome) => outcome !== '200').slice(0, 5), [])
})

async function createMember(t: Test, cast: Cast, name: string): Promise<Member> {
  // Below those of outgoing connections, which could take one before it is listened on.
  const choose = () => choosePort(randomInt(20_000, 32_000))
  const [port, adminPort] = [await choose(), await choose()]
  const config = cast.config.replace('gateway.yaml', `${name}.yaml`)
  const yaml = readFileSync(cast.config, 'utf8')
    .replace("server: { listen: '127.0.0.1:0'", `server: { listen: '127.0.0.1:${port}'`)
    .replace("admin: { listen: '127.0.0.1:0'", `admin: { listen: '127.0.0.1:${adminPort}'`)
  writeFileSync(config, yaml)
  return {
    port,
    adminPort,
    async start() {
      const gateway = await startGateway(t, config)
      await gateway.untilReady()
      return gateway
    },
  }
}

/** Until the load balancer sends requests there. */
function untilUsed(url: string) {
  return ({ log }: GatewayProcess) =>
    until(async () => {
      await fetch(`${url}/public/a`).then((response) => response.text())
      return log().some(({ msg }) => msg === 'request')
    }, PATIENCE_MS)
}

/** Clients that keep their connections, and send a request with a proof of its own after the other. */
function startLoad({ authority }: Cast, url: string) {
  const outcomes: string[] = []
  let isOver = false

  async function run(): Promise<void> {
    const client = await createClient()
    const token = await authority.mint({ cnf: { jkt: client.thumbprint } })
    for (let nth = 0; !isOver; nth++) {
      const method = nth % 3 === 0 ? 'POST' : 'GET'
      const proof = await client.proof({ method, url: `${PUBLIC_URL}/api/orders`, token })
      const headers = { authorization: `DPoP ${token}`, dpop: proof }
      const body = method === 'POST' ? 'x'.repeat(1000) : null
      outcomes.push(await outcomeOf(fetch(`${url}/api/orders`, { method, headers, body })))
    }
  }

  const clients = Promise.all(Array.from({ length: CLIENTS }, run))
  clients.catch(() => undefined) // Thrown by `stop`: until then it is not to end the process.
  return {
    async stop() {
      isOver = true
      await clients
      return outcomes
    },
  }
}

async function outcomeOf(answer: Promise<Response>): Promise<string> {
  try {
    const response = await answer
    const text = await response.text()
    return response.status === 200 ? '200' : `${response.status} ${text}`
  } catch (error) {
    return String(error)
  }
}
