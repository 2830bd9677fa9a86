/** The servers behind a route: connection pools, taken in turn, the ones that answer first. */
import { Pool } from 'undici'
import { Denial } from '../denial.ts'

export interface Upstream {
  readonly origin: string
  /** Prepended to every path; without a slash at its end. */
  readonly basePath: string
  readonly pool: Pool
  /** Requests under way or waiting for a connection. */
  pending: number
  /** Monotonic milliseconds until which it is passed over, because it could not be reached. */
  downUntil: number
}

export interface UpstreamGroup {
  /** The next one in turn that is not known to be down, else just the next. Throws `overloaded`. */
  next(): Upstream
  readonly size: number
}

export interface Pools {
  /** Upstreams of the same origin and connect timeout share their connections. */
  group(urls: readonly string[], connectTimeoutMs: number): UpstreamGroup
  close(): Promise<void>
  destroy(): Promise<void>
}

const CONNECTIONS = 256
const QUEUE = 1024
const DOWN_MS = 2000

/** How long an upstream that could not be reached is passed over while others are there. */
export function markDown(upstream: Upstream): void {
  upstream.downUntil = performance.now() + DOWN_MS
}

export function createPools(): Pools {
  const pools = new Map<string, Pool>()
  const poolOf = (origin: string, connectTimeoutMs: number) => {
    const key = `${origin} ${connectTimeoutMs}`
    const pool =
      pools.get(key) ??
      new Pool(origin, {
        connections: CONNECTIONS,
        pipelining: 1,
        allowH2: false,
        connect: { timeout: connectTimeoutMs },
      })
    pools.set(key, pool)
    return pool
  }
  return {
    group(urls, connectTimeoutMs) {
      const upstreams = urls.map((url): Upstream => {
        const { origin, pathname } = new URL(url)
        const basePath = pathname.replace(/\/$/, '')
        return {
          origin,
          basePath,
          pool: poolOf(origin, connectTimeoutMs),
          pending: 0,
          downUntil: 0,
        }
      })
      return createGroup(upstreams)
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()))
    },
    destroy: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}

function createGroup(upstreams: readonly Upstream[]): UpstreamGroup {
  let turn = 0
  return {
    size: upstreams.length,
    next() {
      const now = upstreams.length > 1 ? performance.now() : 0
      const inTurn = upstreams.map((_, at) => upstreams[(turn + at) % upstreams.length])
      turn = (turn + 1) % upstreams.length
      const chosen = inTurn.find((upstream) => upstream && upstream.downUntil <= now) ?? inTurn[0]
      if (!chosen || chosen.pending >= CONNECTIONS + QUEUE) throw new Denial('overloaded')
      return chosen
    },
  }
}
