/** The servers behind the routes: connection pools, taken in turn, the ones that answer first. */
import { Pool } from 'undici'
import { Denial } from '../denial.ts'

/** One origin with its connections. Routes that lead to the same one share it. */
interface Backend {
  readonly pool: Pool
  /** For what does not come out of the pool. */
  readonly origin: string
  readonly connectTimeoutMs: number
  readonly tls: UpstreamTls
  /** Counts a request that waits for a connection or is under way; to be called when it is over. */
  readonly begin: () => () => void
  readonly hasRoom: () => boolean
  readonly isDown: () => boolean
  /** Has it passed over for a while, because it could not be reached. */
  readonly markDown: () => void
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
  readonly next: () => Upstream
  /**
   * Throws `overloaded` where all are full, before a proof is used up for nothing. Those that are
   * decided on together are asked before any of them takes its room, so a few may still be refused.
   */
  readonly requireRoom: () => void
  readonly size: number
}

/** How the certificates of upstreams are verified. */
export interface UpstreamTls {
  /** Certificates in PEM. Left out: those Node comes with. */
  readonly ca?: string | undefined
  /** Left out: the host of the URL. */
  readonly serverName?: string | undefined
}

export interface Pools {
  /** `urls` are upstreams of one route. */
  readonly group: (
    urls: readonly string[],
    connectTimeoutMs: number,
    tls?: UpstreamTls,
  ) => UpstreamGroup
  /** Breaks off what is under way. */
  readonly destroy: () => Promise<void>
}

const CONNECTIONS = 256
const QUEUE = 1024
const DOWN_MS = 2000

export function createPools(): Pools {
  const backends = new Map<string, Backend>()
  const backendOf = (origin: string, connectTimeoutMs: number, tls: UpstreamTls) => {
    // A connection is as trustworthy as the authorities it was verified by.
    const key = JSON.stringify([origin, connectTimeoutMs, tls.ca, tls.serverName])
    const backend = backends.get(key) ?? createBackend(origin, connectTimeoutMs, tls)
    backends.set(key, backend)
    return backend
  }
  return {
    group: (urls, connectTimeoutMs, tls = {}) =>
      createGroup(
        urls.map((url) => {
          const { origin, pathname } = new URL(url)
          const basePath = pathname.replace(/\/$/, '')
          return { backend: backendOf(origin, connectTimeoutMs, tls), basePath }
        }),
      ),
    async destroy() {
      await Promise.all([...backends.values()].map(({ pool }) => pool.destroy()))
    },
  }
}

function createBackend(origin: string, connectTimeoutMs: number, tls: UpstreamTls): Backend {
  const { ca, serverName } = tls
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    connect: {
      timeout: connectTimeoutMs,
      rejectUnauthorized: true, // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      ...(ca !== undefined && { ca }),
      ...(serverName !== undefined && { servername: serverName }),
    },
  })
  let pending = 0
  let downUntil = 0 // On the monotonic clock, in milliseconds.
  const end = () => {
    pending--
  }
  return {
    pool,
    origin,
    connectTimeoutMs,
    tls,
    begin() {
      pending++
      return end
    },
    hasRoom: () => pending < CONNECTIONS + QUEUE,
    isDown: () => downUntil > 0 && performance.now() < downUntil,
    markDown() {
      downUntil = performance.now() + DOWN_MS
    },
  }
}

function createGroup(upstreams: readonly Upstream[]): UpstreamGroup {
  let turn = 0
  const overloaded = () => new Denial('overloaded', { detail: 'all upstreams are full' })
  return {
    size: upstreams.length,
    requireRoom() {
      if (!upstreams.some(({ backend }) => backend.hasRoom())) throw overloaded()
    },
    next() {
      let fallback: Upstream | undefined
      turn = (turn + 1) % upstreams.length
      for (let step = 0; step < upstreams.length; step++) {
        const upstream = upstreams[(turn + step) % upstreams.length]
        if (!upstream?.backend.hasRoom()) continue
        if (!upstream.backend.isDown()) return upstream
        fallback ??= upstream
      }
      if (!fallback) throw overloaded()
      return fallback
    },
  }
}
