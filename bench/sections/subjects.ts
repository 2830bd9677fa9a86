/** Every server of the comparison, and the tasks it is given. */
import { join } from 'node:path'
import { scaled, type Plan } from '../report/section.ts'
import { hasNginx, startNginxProxy } from '../servers/nginx.ts'
import { findPeers } from '../servers/peers.ts'
import { freePort, serve, type Server } from '../servers/server.ts'
import type { Stand } from './stand.ts'
import { tasksOf, type Task, type Tasks } from './works.ts'

export interface Contender {
  readonly id: string
  readonly name: string
  readonly server: Server
  readonly storePid?: number | undefined
  readonly tasks: Readonly<Partial<Record<keyof Tasks, Task>>>
  /** Another's work, which may fail without failing the run. */
  readonly isPeer?: boolean
}

export interface Contenders {
  readonly all: readonly Contender[]
  /** What is not there to be measured, and why. */
  readonly missing: readonly string[]
}

export async function startContenders(stand: Stand, plan: Plan): Promise<Contenders> {
  const tasks = tasksOf(plan)
  const { redis, upstream, placement } = stand
  const { get, opaque, eddsa, rs256, post, download } = tasks
  const { forgedProof, forgedToken, replay, bare } = tasks
  const missing: string[] = []
  const all: Contender[] = []

  if (hasNginx) {
    const server = stand.keep(await startNginxProxy(upstream, placement.subject))
    const name = 'nginx, plain proxy, checks nothing'
    all.push({ id: 'nginx', name, server, tasks: { get, post, download } })
  } else missing.push('nginx: not installed (apt-get install nginx), so there is no limit')

  all.push({
    id: 'memory',
    name: 'dpop-gateway, memory',
    server: await stand.gateway({ introspects: true }),
    tasks: {
      ...{ get, opaque, eddsa, rs256, post, download },
      ...{ forgedProof, forgedToken, replay, bare },
    },
  })
  if (redis) {
    const server = await stand.gateway({ redisUrl: redis.url })
    const name = 'dpop-gateway, Redis'
    all.push({ id: 'redis', name, server, storePid: redis.pid, tasks: { get, post, replay } })
  } else missing.push('Redis: not installed (apt-get install redis-server)')

  const least = stand.keep(await startNode('least', upstream, placement.subject))
  const name = 'node:http + undici + one verification, decides nothing'
  all.push({ id: 'least', name, server: least, tasks: { get } })
  const server = stand.keep(await startNode('bare', upstream, placement.subject))
  all.push({ id: 'node', name: 'node:http, answers 401', server, tasks: { bare } })
  if (plan.withPeers) await addPeers(stand, plan, tasks.peer, { all, missing })
  return { all, missing }
}

async function addPeers(
  { redis, upstream, issuer, placement, keep }: Stand,
  { say }: Plan,
  task: Task,
  { all, missing }: { readonly all: Contender[]; readonly missing: string[] },
): Promise<void> {
  for (const { id, name, store, missing: why, start } of findPeers(say)) {
    const reason = store === 'redis' && !redis ? 'Redis is not installed' : why
    if (reason !== undefined) {
      missing.push(`${name}: ${reason}`)
      continue
    }
    const ofRedis = store === 'redis' && redis ? { redisPort: redis.port } : {}
    const options = { upstream, issuer: issuer.authority.issuer, cpus: placement.subject }
    try {
      const server = keep(await start({ ...options, ...ofRedis }))
      const storePid = store === 'redis' ? redis?.pid : undefined
      all.push({ id, name, server, storePid, tasks: { get: task }, isPeer: true })
    } catch (error) {
      missing.push(`${name}: did not start`)
      say(String(error))
    }
  }
}

/** A server of a few lines, which answers 401 to a request without credentials. */
async function startNode(
  name: 'least' | 'bare',
  upstream: Server,
  cpus: string | undefined,
): Promise<Server> {
  const port = await freePort()
  const file = join(import.meta.dirname, `../servers/${name}.ts`)
  return serve(port, {
    file: process.execPath,
    args: ['--import', 'tsx', file, String(port), `http://127.0.0.1:${upstream.port}`],
    log: `${name}.out`,
    readyUrl: `http://127.0.0.1:${port}/`,
    readyStatus: 401,
    cpus,
  })
}

/** Of each task a part, so that compilers and caches are where they will stay. */
export function warmUpOf(plan: Plan, task: Task): Task {
  return { ...task, count: task.count < 64 ? 1 : Math.min(task.count, scaled(plan, 4_000, 256)) }
}
