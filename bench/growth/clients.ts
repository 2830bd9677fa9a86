/** 1, 1,000 and 100,000 clients, each with a key and a token of its own. */
import { createCallers, type Caller } from '../callers.ts'
import { measure, type Cost } from '../measure.ts'
import { residentBytes } from '../process.ts'
import { scaled, type Plan } from '../report/section.ts'
import { formatNumber, formatSpread, table } from '../report/table.ts'
import { runRounds, spreadOf, type Results, type Spread } from '../rounds.ts'
import type { Server } from '../servers/server.ts'
import type { Stand } from '../sections/stand.ts'
import type { Part } from './section.ts'

const CLIENTS = [1, 1_000, 100_000]
const REQUESTS = 10_000
/** As many proofs are made at a time: of more the first would be too old when it is sent. */
const BATCH = 10_000

interface Crowd {
  readonly id: string
  readonly callers: readonly Caller[]
  readonly server: Server
  /** What the first request of a client costs, whose token and key nobody has seen. */
  readonly first: Spread
}

export async function measureClients(stand: Stand, plan: Plan): Promise<Part> {
  const crowds: Crowd[] = []
  for (const wanted of CLIENTS) {
    const clients = wanted === 1 ? 1 : scaled(plan, wanted)
    plan.say(`making ${clients} clients`)
    const callers = createCallers(clients, stand.issuer.mint)
    const server = await stand.gateway()
    const first = await sendFirst(stand, server, callers)
    // All gateways alike, so that their code is as far compiled.
    await send(stand, server, callers, REQUESTS)
    crowds.push({ id: formatNumber(clients), callers, server, first })
  }
  const count = scaled(plan, REQUESTS)
  let round = 0
  const cells = crowds.map(({ id, callers, server }) => ({
    id,
    measure: () => send(stand, server, someOf(callers, count, (round += 1)), count),
  }))
  const results = await runRounds(cells, plan.rounds, (line) => {
    plan.say(`clients, ${line}`)
  })
  const part = report(crowds, results)
  for (const { server } of crowds) await server.stop()
  return part
}

function report(crowds: readonly Crowd[], results: Results<Cost>): Part {
  const rows = crowds.map(({ id, server, first }) => [
    ...[id, formatSpread(results.of(id, (it) => it.subject))],
    id === '1' ? '' : formatNumber(first.median),
    formatNumber(residentBytes(server.pid) / 2 ** 20),
  ])
  const most = crowds.at(-1)?.id ?? ''
  return {
    parts: [
      '### Clients\n\nEach with an ES256 key and a token of its own. Each has sent a request before.',
      table(['clients', 'CPU', 'CPU of the first request', 'resident MiB'], rows),
    ],
    aims: [
      {
        text: `CPU per request with ${most} clients ÷ with 1`,
        limit: 1.1,
        bound: 'at most',
        value: results.each((valueOf) => valueOf(most).subject / valueOf('1').subject),
      },
    ],
  }
}

async function sendFirst({ upstream }: Stand, server: Server, callers: readonly Caller[]) {
  const costs: number[] = []
  for (let from = 0; from < callers.length; from += BATCH) {
    const batch = callers.slice(from, from + BATCH)
    const cost = await measure(upstream, { server, callers: batch }, { count: batch.length })
    costs.push(cost.subject)
  }
  return spreadOf(costs)
}

function send(
  { upstream }: Stand,
  server: Server,
  callers: readonly Caller[],
  count: number,
): Promise<Cost> {
  return measure(upstream, { server, callers }, { count })
}

/** Spread evenly over all of them, others in each round. */
function someOf(callers: readonly Caller[], count: number, round: number): readonly Caller[] {
  const step = Math.max(1, Math.floor(callers.length / count))
  return step === 1 ? callers : callers.filter((_, at) => at % step === round % step)
}
