/** One measurement: work sent to a subject, and what it cost every process that took part. */
import type { Caller } from './callers.ts'
import { keepBusy } from './load/closed.ts'
import { percentile, type LoadResult } from './load/result.ts'
import { cpuMicroseconds } from './process.ts'
import { makeRequests, type RequestForm } from './requests.ts'
import type { Upstream } from './servers/nginx.ts'
import type { Server } from './servers/server.ts'

export interface Subject {
  readonly server: Server
  readonly callers: readonly Caller[]
  /** Process that keeps its replay entries, where that is another. */
  readonly storePid?: number | undefined
}

export interface Work {
  readonly form?: RequestForm
  readonly count: number
  /** Default is 200. */
  readonly expected?: number
  /** Default is 64. */
  readonly connections?: number
  /** Whether each request was already sent once, before the clock started. */
  readonly isReplay?: boolean
}

/** CPU times are microseconds a request, user and system. */
export interface Cost {
  readonly subject: number
  readonly store: number
  readonly upstream: number
  readonly generator: number
  /** Of making the requests, before the clock started: what a client pays, or an attacker. */
  readonly preparation: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** Requests that reached the upstream. */
  readonly forwarded: number
}

export const CONNECTIONS = 64
/** One for so many is sent first: V8 drops the code of servers that idle while others are measured. */
const WARM_UP = 10

export async function measure(upstream: Upstream, subject: Subject, work: Work): Promise<Cost> {
  const { server, storePid } = subject
  const { count, expected = 200, connections = CONNECTIONS, form = {} } = work
  const target = { port: server.port, callers: subject.callers }
  const warmUp = makeRequests(target, form, Math.floor(count / WARM_UP))
  const startedAt = ownCpu()
  const requests = makeRequests(target, form, count)
  const preparation = (ownCpu() - startedAt) / count
  const load = { port: server.port, requests, connections, expected }
  await keepBusy({ ...load, requests: warmUp, expected: work.isReplay ? 200 : expected })
  if (work.isReplay) await keepBusy({ ...load, expected: 200 })

  const forwardedBefore = await upstream.requests()
  const pids = { subject: server.pid, upstream: upstream.pid, store: storePid }
  const read = () => Object.entries(pids).map(([, pid]) => (pid ? cpuMicroseconds(pid) : 0))
  const before = [...read(), ownCpu()]
  const result = await keepBusy(load)
  const [ofSubject = 0, ofUpstream = 0, ofStore = 0, generator = 0] = [...read(), ownCpu()].map(
    (used, at) => (used - (before[at] ?? 0)) / count,
  )
  return {
    ...{ subject: ofSubject, upstream: ofUpstream, store: ofStore, generator, preparation },
    perSecond: count / result.seconds,
    ...percentilesOf(result),
    forwarded: (await upstream.requests()) - forwardedBefore,
  }
}

/** In milliseconds. */
export function percentilesOf({ latencies }: LoadResult) {
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    p999: percentile(latencies, 0.999),
  }
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
