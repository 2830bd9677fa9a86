/** The servers behind the routes: connection pools, taken in turn, the ones that answer first. */
import { Pool } from 'undici'
import { Denial } from '../denial.ts'

/** One origin with its connections. Routes that lead to the same one share it. */
export interface Backend {
  readonly pool: Pool
  /** Requests under way or waiting for a connection. */
  pending: number
  /** Monotonic milliseconds until which it is passed over, because it could not be reached. */
  downUntil: number
}

export interface Upstream {
  readonly backend: Backend
  /** Prepended to every path; without a slash at its end. */
  readonly basePath: string
}

export interface UpstreamGroup {
  /**
   * The next in turn that is not known to be down, else the next. Throws `overloaded` where all are
   * full.
   */
  next(): Upstream
  readonly size: number
}

export interface Pools {
  /** `urls` are upstreams of one route. */
  group(urls: readonly string[], connectTimeoutMs: number): UpstreamGroup
  /** Breaks off what is under way. */
  destroy(): Promise<void>
}

const CONNECTIONS = 256
const QUEUE = 1024
const DOWN_MS = 2000

/** How long a backend that could not be reached is passed over while others are there. */
export function markDown({ backend }: Upstream): void {
  backend.downUntil = performance.now() + DOWN_MS
}

export function createPools(): Pools {
  const backends = new Map<string, Backend>()
  const backendOf = (origin: string, connectTimeoutMs: number) => {
    const key = `${origin} ${connectTimeoutMs}`
    const backend = backends.get(key) ?? createBackend(origin, connectTimeoutMs)
    backends.set(key, backend)
    return backend
  }
  return {
    group: (urls, connectTimeoutMs) =>
      createGroup(
        urls.map((url) => {
          const { origin, pathname } = new URL(url)
          const basePath = pathname.replace(/\/$/, '')
          return { backend: backendOf(origin, connectTimeoutMs), basePath }
        }),
      ),
    async destroy() {
      await Promise.all([...backends.values()].map(({ pool }) => pool.destroy()))
    },
  }
}

function createBackend(origin: string, connectTimeoutMs: number): Backend {
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: connectTimeoutMs },
  })
  return { pool, pending: 0, downUntil: 0 }
}

function createGroup(upstreams: readonly Upstream[]): UpstreamGroup {
  let turn = 0
  return {
    size: upstreams.length,
    next() {
      const now = performance.now()
      const inTurn = [...upstreams.slice(turn), ...upstreams.slice(0, turn)].filter(hasRoom)
      turn = (turn + 1) % upstreams.length
      const chosen = inTurn.find(({ backend }) => backend.downUntil <= now) ?? inTurn[0]
      if (!chosen) throw new Denial('overloaded', { detail: 'all upstreams are full' })
      return chosen
    },
  }
}

function hasRoom({ backend }: Upstream): boolean {
  return backend.pending < CONNECTIONS + QUEUE
}
