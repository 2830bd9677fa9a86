/**
 * 1, 2 and 4 workers on Redis. Their throughput says little where load, upstream and Redis need the
 * same processors, so it is counted what the busiest worker can do with a processor of its own.
 *
 * That load, upstream and Redis are not what is measured can be seen in the table: each is one
 * thread, and what the busiest of them used of its processor is beside what the workers got through.
 */
import { createCallers, type Caller } from '../callers.ts'
import { measure, type Cost } from '../measure.ts'
import { cpuOfChildren } from '../process.ts'
import { scaled, type Plan } from '../report/section.ts'
import { formatNumber, formatSpread, table } from '../report/table.ts'
import { runRounds, type Results } from '../rounds.ts'
import type { Server } from '../servers/server.ts'
import type { Stand } from '../sections/stand.ts'
import type { Part } from './section.ts'

const WORKERS = [1, 2, 4]
/** For each worker. */
const REQUESTS = 10_000
/** For each worker, so that all of them are as busy as the one. */
const CONNECTIONS = 64
/** Processors that load, upstream and Redis need besides those of the two workers. */
const OTHERS = 2

interface Throughput extends Cost {
  /** Requests a second, had each worker a processor of its own. */
  readonly capacity: number
}

export async function measureWorkers(stand: Stand, plan: Plan): Promise<Part> {
  if (!stand.redis) {
    return { parts: ['### Workers', 'Not measured: Redis is not installed.'], aims: [] }
  }
  const redisUrl = stand.redis.url
  const callers = createCallers(CONNECTIONS * Math.max(...WORKERS), stand.issuer.mint)
  const crews: Crew[] = []
  for (const workers of WORKERS) {
    const server = await stand.gateway({ redisUrl, workers, cpus: stand.placement.all })
    crews.push({ workers, server })
  }
  for (const crew of crews) await measureCrew(stand, callers, crew, scaled(plan, 8_000))
  const cells = crews.map((crew) => ({
    id: String(crew.workers),
    measure: () => measureCrew(stand, callers, crew, scaled(plan, REQUESTS)),
  }))
  const results = await runRounds(cells, plan.rounds, (line) => {
    plan.say(`workers, ${line}`)
  })
  for (const { server } of crews) await server.stop()
  return report(results, stand.placement.count)
}

interface Crew {
  readonly workers: number
  readonly server: Server
}

async function measureCrew(
  { upstream, redis }: Stand,
  callers: readonly Caller[],
  { workers, server }: Crew,
  requestsEach: number,
): Promise<Throughput> {
  const count = requestsEach * workers
  const before = cpuOfChildren(server.pid)
  const subject = { server, callers, storePid: redis?.pid }
  const cost = await measure(upstream, subject, { count, connections: CONNECTIONS * workers })
  const used = [...cpuOfChildren(server.pid)].map(([pid, cpu]) => cpu - (before.get(pid) ?? 0))
  // One worker is no child of anything: it is the process itself.
  const busiest = used.length > 0 ? Math.max(...used) : cost.subject * count
  return { ...cost, capacity: (count / busiest) * 1_000_000 }
}

function report(results: Results<Throughput>, processors: number): Part {
  const hasRoom = processors >= 2 + OTHERS
  const key = hasRoom ? 'perSecond' : 'capacity'
  const rows = WORKERS.map(String).map((id) => [
    id,
    formatSpread(results.of(id, (it) => it.subject)),
    formatSpread(results.of(id, (it) => it.capacity)),
    formatSpread(results.of(id, (it) => it.perSecond)),
    formatNumber(results.of(id, (it) => it.generator + it.upstream + it.store).median),
    formatSpread(results.of(id, othersBusy)),
  ])
  const busiest = Math.max(...WORKERS.map((it) => results.of(String(it), othersBusy).most))
  const how = hasRoom ? 'as measured' : 'by CPU time of the busiest'
  return {
    parts: ['### Workers', explain(hasRoom, processors), table(COLUMNS, rows), judge(busiest)],
    aims: [
      {
        text: `throughput of two workers ÷ one, ${how}`,
        limit: 1.7,
        bound: 'at least',
        value: results.each((valueOf) => valueOf('2')[key] / valueOf('1')[key]),
      },
    ],
  }
}

const COLUMNS = [
  ...['workers', 'CPU', 'requests/s by CPU', 'requests/s measured', 'CPU of all others'],
  'busiest of the others, % of a processor',
]

/** Beyond that one of the others may have held the workers up. */
const BUSY = 80

/** What the load generator, the upstream or Redis used of one processor, in per cent. */
function othersBusy({ generator, upstream, store, perSecond }: Cost): number {
  return (Math.max(generator, upstream, store) * perSecond) / 10_000
}

function judge(busiest: number): string {
  const share = `The busiest of load, upstream and Redis used ${formatNumber(busiest)} % of a processor`
  return busiest < BUSY
    ? `${share}: none of them was the bottleneck.`
    : `${share}: the requests a second that were measured may be theirs, those by CPU are not.`
}

function explain(hasRoom: boolean, count: number): string {
  const processors = `${count} processors`
  const why = hasRoom
    ? `With ${processors} two workers have one each and leave the others to load, upstream and Redis, so what was measured counts.`
    : `With ${processors} load, upstream and Redis take theirs from the workers, so the requests a second that were measured say little. What counts is what the busiest worker would do with a processor of its own: requests divided by its CPU time.`
  return `${why} ${CONNECTIONS} connections for each worker, the Redis store.`
}
