/** 1, 100 and 10,000 routes, each of which is used. */
import { createCallers } from '../callers.ts'
import { CONNECTIONS, measure, type Cost } from '../measure.ts'
import { residentBytes } from '../process.ts'
import { scaled, type Plan } from '../report/section.ts'
import { formatNumber, formatSpread, table } from '../report/table.ts'
import { runRounds } from '../rounds.ts'
import type { Server } from '../servers/server.ts'
import type { Stand } from '../sections/stand.ts'
import type { Part } from './section.ts'

const ROUTES = [1, 100, 10_000]
const REQUESTS = 10_000

interface Subject {
  readonly id: string
  readonly routes: number
  readonly server: Server
  readonly send: (count: number) => Promise<Cost>
}

/** The first is /orders/*, the others are numbered from 0. */
function pathOf(route: number): string {
  return route === 0 ? '/orders/42' : `/r${route - 1}/42`
}

export async function measureRoutes(stand: Stand, plan: Plan): Promise<Part> {
  const callers = createCallers(CONNECTIONS, stand.issuer.mint)
  const subjects: Subject[] = []
  for (const routes of ROUTES) {
    const server = await stand.gateway({ routes: routes - 1 })
    const form = { pathOf: (at: number) => pathOf(at % routes) }
    const send = (count: number) => measure(stand.upstream, { server, callers }, { count, form })
    subjects.push({ id: String(routes), server, routes, send })
  }
  // Each route once at least, and all gateways alike, so that their code is as far compiled.
  for (const { send } of subjects) await send(Math.max(...ROUTES))
  const count = scaled(plan, REQUESTS)
  const cells = subjects.map(({ id, send }) => ({ id, measure: () => send(count) }))
  const results = await runRounds(cells, plan.rounds, (line) => {
    plan.say(`routes, ${line}`)
  })
  const rows = subjects.map(({ id, server, routes }) => [
    formatNumber(routes),
    formatSpread(results.of(id, (it) => it.subject)),
    formatNumber(server.readyMs),
    formatNumber(residentBytes(server.pid) / 2 ** 20),
  ])
  const growth = results.each(
    (valueOf) => valueOf(String(ROUTES.at(-1))).subject / valueOf('1').subject,
  )
  for (const { server } of subjects) await server.stop()
  return {
    parts: ['### Routes', table(['routes', 'CPU', 'ready after ms', 'resident MiB'], rows)],
    aims: [
      {
        text: 'CPU per request with 10,000 routes ÷ with 1',
        limit: 1.1,
        bound: 'at most',
        value: growth,
      },
    ],
  }
}
