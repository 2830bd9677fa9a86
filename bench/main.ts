/**
 * CPU time per request of the gateway, beside nginx as a plain proxy to the same upstream and the
 * bare cost of one ES256 signature verification, all in one run. The machine may be shared and
 * noisy: read the ratios, and those of a quiet machine.
 */
import { rmSync } from 'node:fs'
import { createAuthority, AUDIENCE } from '../test/support/jwks-server.ts'
import type { Owner } from '../test/support/owner.ts'
import { GATEWAY } from '../test/support/registered-client.ts'
import { startRedis } from '../test/support/redis.ts'
import { sendAll } from './load.ts'
import { isInstalled } from './process.ts'
import { createCallers, signRequests, type Caller } from './requests.ts'
import { verifyCost } from './verify-cost.ts'
import {
  folder,
  hasNginx,
  startGateway,
  startNginxProxy,
  startUpstream,
  type Server,
} from './servers.ts'

const CONNECTIONS = 64
const WARM_UP = 5_000
const REQUESTS = 20_000
const ROUNDS = 3
const NGINX = 'nginx, plain proxy'
const INTROSPECTION = `introspection: { auth: { method: client_secret_basic, clientId: ${GATEWAY.id}, clientSecret: ${GATEWAY.secret} } }`

interface Subject {
  readonly name: string
  readonly server: Server
  readonly callers: readonly Caller[]
}

const cleanUps: (() => unknown)[] = []
const owner: Owner = { teardown: (cleanUp) => cleanUps.unshift(cleanUp) }

async function main(): Promise<void> {
  const authority = await createAuthority(owner)
  const callers = await createCallers(CONNECTIONS, authority.mint)
  const upstream = await startUpstream()
  const gateway = (replay: string, introspection = '') =>
    startGateway({ upstream, issuer: authority.issuer, audience: AUDIENCE, replay, introspection })
  const subjects: Subject[] = [
    { name: 'gateway, memory', server: await gateway('{ store: memory }'), callers },
    {
      name: 'gateway, memory, opaque tokens',
      server: await gateway('{ store: memory }', INTROSPECTION),
      callers: await createCallers(CONNECTIONS, authority.introspection.issue),
    },
  ]
  if (hasNginx) subjects.unshift({ name: NGINX, server: await startNginxProxy(upstream), callers })
  if (isInstalled('redis-server')) {
    const { url } = await startRedis(owner)
    const replay = `{ store: redis, url: "${url}", timeout: 2s }`
    subjects.push({ name: 'gateway, Redis', server: await gateway(replay), callers })
  }
  owner.teardown(() =>
    Promise.all([upstream, ...subjects.map((it) => it.server)].map((it) => it.stop())),
  )

  for (const subject of subjects) await measure(subject, WARM_UP)
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const verification = verifyCost()
    const costs = []
    for (const subject of subjects) costs.push(await measure(subject, REQUESTS))
    rounds.push({ verification, costs })
  }
  print(subjects, rounds)
}

interface Cost {
  readonly microseconds: number
  readonly perSecond: number
}

interface Round {
  readonly verification: number
  readonly costs: readonly Cost[]
}

async function measure({ server, callers }: Subject, count: number): Promise<Cost> {
  const requests = signRequests(callers, server.port, count)
  const before = server.cpuMicroseconds()
  const { seconds } = await sendAll(server.port, requests, CONNECTIONS)
  const used = server.cpuMicroseconds() - before
  return { microseconds: used / count, perSecond: count / seconds }
}

function print(subjects: readonly Subject[], rounds: readonly Round[]): void {
  const each = (read: (round: Round) => number) => median(rounds.map(read))
  const nginx = subjects.findIndex(({ name }) => name === NGINX)
  const costOf = (round: Round, at: number) => round.costs[at]?.microseconds ?? Number.NaN
  const limitOf = (round: Round) => costOf(round, nginx) + round.verification
  console.log(
    `Node ${process.version}, ${CONNECTIONS} connections, ${ROUNDS} rounds of ${REQUESTS} requests` +
      ` each, medians\none P-256 verification: ${each((it) => it.verification).toFixed(1)} µs CPU`,
  )
  console.table(
    subjects.map(({ name }, at) => ({
      '': name,
      'CPU µs a request': each((round) => costOf(round, at)).toFixed(1),
      'requests/s': each(({ costs }) => costs[at]?.perSecond ?? Number.NaN).toFixed(0),
      '÷ (nginx + verify)': each((round) => costOf(round, at) / limitOf(round)).toFixed(2),
    })),
  )
  if (nginx < 0) console.log('nginx is not installed (apt-get install nginx): there is no ratio')
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

try {
  await main()
} finally {
  for (const cleanUp of cleanUps) await cleanUp()
  rmSync(folder, { recursive: true, force: true })
}
