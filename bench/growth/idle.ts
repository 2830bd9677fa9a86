/** Connections that are open and have nothing to say. */
import { readFileSync } from 'node:fs'
import { createCallers } from '../callers.ts'
import { openConnection, type Connection } from '../load/connection.ts'
import { CONNECTIONS, measure, type Cost } from '../measure.ts'
import { residentBytes } from '../process.ts'
import { makeRequests } from '../requests.ts'
import { scaled, type Plan } from '../report/section.ts'
import { formatNumber, table } from '../report/table.ts'
import type { Stand } from '../sections/stand.ts'
import type { Part } from './section.ts'

const IDLE = 10_000
const REQUESTS = 10_000
const AT_A_TIME = 100
/** Files a process has open besides. */
const OTHER_FILES = 500

export async function measureIdle(stand: Stand, plan: Plan): Promise<Part> {
  const wanted = scaled(plan, IDLE)
  const idle = Math.min(wanted, openFiles() - OTHER_FILES)
  const server = await stand.gateway()
  const callers = createCallers(CONNECTIONS, stand.issuer.mint)
  const send = () => measure(stand.upstream, { server, callers }, { count: scaled(plan, REQUESTS) })
  await send()
  const alone = { cost: await send(), bytes: residentBytes(server.pid) }
  plan.say(`opening ${idle} idle connections`)
  const connections = await openIdle(server.port, idle)
  const bytes = residentBytes(server.pid)
  const crowded = { cost: await send(), bytes }
  for (const connection of connections) connection.close()
  await server.stop()

  const row = (name: string, { cost, bytes }: { cost: Cost; bytes: number }) => [
    ...[name, formatNumber(cost.subject), formatNumber(cost.p99), formatNumber(bytes / 2 ** 20)],
  ]
  const each = (crowded.bytes - alone.bytes) / idle / 1024
  const limited = `This machine lets a process open ${idle} connections, not ${wanted}.`
  return {
    parts: [
      '### Idle connections',
      ...(idle < wanted ? [limited] : []),
      table(
        ['idle connections besides', 'CPU', 'p99 ms', 'resident MiB'],
        [row('0', alone), row(formatNumber(idle), crowded)],
      ),
      `An idle connection takes ${formatNumber(each)} KiB.`,
    ],
    aims: [],
  }
}

/** Each has had an answer before, as a connection that is kept alive has. */
async function openIdle(port: number, count: number): Promise<readonly Connection[]> {
  const [request = Buffer.alloc(0)] = makeRequests(
    { port, callers: createCallers(1, () => 'x') },
    { credentials: 'none' },
    1,
  )
  const connections: Connection[] = []
  const openOne = () =>
    new Promise<void>((resolve, reject) => {
      openConnection(port, {
        onFault: reject,
        onAnswer: () => {
          resolve()
        },
      }).then((connection) => {
        connections.push(connection)
        connection.send(request)
      }, reject)
    })
  while (connections.length < count) {
    const missing = Math.min(AT_A_TIME, count - connections.length)
    await Promise.all(Array.from({ length: missing }, openOne))
  }
  return connections
}

function openFiles(): number {
  const [, soft = '1024'] = /^Max open files +(\d+)/m.exec(
    readFileSync('/proc/self/limits', 'utf8'),
  ) ?? ['']
  return Number(soft)
}
