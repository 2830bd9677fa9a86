/**
 * CPU time per request of the gateway, beside nginx as a plain proxy to the same upstream and the
 * bare cost of one ES256 signature verification, all in one run. The machine may be shared and
 * noisy: read the ratios, not the microseconds.
 */
import { rmSync } from 'node:fs'
import { createAuthority, AUDIENCE } from '../test/support/jwks-server.ts'
import type { Owner } from '../test/support/owner.ts'
import { startRedis } from '../test/support/redis.ts'
import { sendAll } from './load.ts'
import { isInstalled } from './process.ts'
import { createCallers, signRequests, type Caller } from './requests.ts'
import { verifyCost } from './verify-cost.ts'
import { folder, startGateway, startNginxProxy, startUpstream, type Server } from './servers.ts'

const CONNECTIONS = 64
const WARM_UP = 5_000
const REQUESTS = 20_000
const ROUNDS = 3

interface Subject {
  readonly name: string
  readonly server: Server
}

const cleanUps: (() => unknown)[] = []
const owner: Owner = { teardown: (cleanUp) => cleanUps.unshift(cleanUp) }

async function main(): Promise<void> {
  if (!isInstalled('nginx')) throw new Error('nginx is needed: apt-get install nginx')
  const authority = await createAuthority(owner)
  const callers = await createCallers(CONNECTIONS, authority)
  const upstream = await startUpstream()
  const gateway = (replay: string) =>
    startGateway({ upstream, issuer: authority.issuer, audience: AUDIENCE, replay })
  const subjects: Subject[] = [
    { name: 'nginx, plain proxy', server: await startNginxProxy(upstream) },
    { name: 'gateway, memory', server: await gateway('{ store: memory }') },
  ]
  if (isInstalled('redis-server')) {
    const { url } = await startRedis(owner)
    const replay = `{ store: redis, url: "${url}" }`
    subjects.push({ name: 'gateway, Redis', server: await gateway(replay) })
  }
  owner.teardown(() =>
    Promise.all([upstream, ...subjects.map((it) => it.server)].map((it) => it.stop())),
  )

  for (const { server } of subjects) await measure(server, callers, WARM_UP)
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const verification = verifyCost()
    const costs = []
    for (const { server } of subjects) costs.push(await measure(server, callers, REQUESTS))
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

async function measure(server: Server, callers: readonly Caller[], count: number): Promise<Cost> {
  const requests = signRequests(callers, server.port, count)
  const before = server.cpuMicroseconds()
  const { seconds } = await sendAll(server.port, requests, CONNECTIONS)
  const used = server.cpuMicroseconds() - before
  return { microseconds: used / count, perSecond: count / seconds }
}

function print(subjects: readonly Subject[], rounds: readonly Round[]): void {
  const limitOf = ({ verification, costs }: Round) => (costs[0]?.microseconds ?? 0) + verification
  const table = subjects.map(({ name }, at) => ({
    '': name,
    'CPU µs a request': median(rounds.map(({ costs }) => costs[at]?.microseconds ?? 0)).toFixed(1),
    'requests/s': median(rounds.map(({ costs }) => costs[at]?.perSecond ?? 0)).toFixed(0),
    '÷ (nginx + verify)': ratios(rounds, at, limitOf),
  }))
  const verification = median(rounds.map((round) => round.verification)).toFixed(1)
  console.log(
    `Node ${process.version}, ${CONNECTIONS} connections, ${ROUNDS} rounds of ${REQUESTS} requests,` +
      ` median (all)\none P-256 verification: ${verification} µs CPU`,
  )
  console.table(table)
}

function ratios(rounds: readonly Round[], at: number, limitOf: (round: Round) => number): string {
  const all = rounds.map((round) => (round.costs[at]?.microseconds ?? 0) / limitOf(round))
  return `${median(all).toFixed(2)} (${all.map((ratio) => ratio.toFixed(2)).join(' ')})`
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
