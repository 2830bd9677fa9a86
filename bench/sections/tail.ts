/** Latency at a rate that is held, whatever the server does: at half of what the gateway can take. */
import type { Caller } from '../callers.ts'
import { holdRate } from '../load/open.ts'
import { percentile } from '../load/result.ts'
import { percentilesOf } from '../measure.ts'
import { makeRequests } from '../requests.ts'
import { scaled, type Plan } from '../report/section.ts'
import { runRounds, type Results } from '../rounds.ts'
import type { Stand } from './stand.ts'
import type { Contender } from './subjects.ts'

/** In milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** How late the load generator itself was. */
  readonly lateness: number
}

export interface Tail {
  readonly perSecond: number
  readonly results: Results<Latency>
  readonly count: number
}

interface TailOptions {
  readonly contenders: readonly Contender[]
  readonly callers: readonly Caller[]
  readonly perSecond: number
}

const SECONDS = 5
const MAX_REQUESTS = 25_000
const CONNECTIONS = 64

export async function measureTail(
  { placement }: Stand,
  plan: Plan,
  { contenders, callers, perSecond }: TailOptions,
): Promise<Tail> {
  const count = Math.min(MAX_REQUESTS, scaled(plan, Math.round(perSecond * SECONDS)))
  plan.say(`${count} requests at ${Math.round(perSecond)} a second; ${placement.sentence}`)
  const cells = contenders
    .filter(({ id }) => ['nginx', 'memory', 'redis'].includes(id))
    .map(({ id, server: { port } }) => ({
      id,
      async measure(): Promise<Latency> {
        const load = { port, connections: CONNECTIONS, expected: 200 }
        const warmUp = makeRequests({ port, callers }, {}, Math.ceil(perSecond))
        await holdRate({ ...load, requests: warmUp }, perSecond)
        const requests = makeRequests({ port, callers }, {}, count)
        const result = await holdRate({ ...load, requests }, perSecond)
        const late = result.lateness ?? new Float64Array()
        return { ...percentilesOf(result), lateness: percentile(late, 0.99) }
      },
    }))
  return { perSecond, count, results: await runRounds(cells, plan.rounds, plan.say) }
}
