/**
 * The link to a Redis Cluster. A master out of reach takes down no more than its own slots: what
 * belongs to it is refused, as the cluster is about to replace it. One that is there and unfit takes
 * down the link, because what it forgets could be replayed.
 */

import { Cluster, type Redis } from 'ioredis'
import { readNode } from './address.ts'
import { faultSentence, faultWord } from './fault.ts'
import { createHealth, type Health } from './health.ts'
import { UNKNOWN_HOLDER } from './holder.ts'
import type { Link, LinkOptions } from './link.ts'
import { createMasters, type Masters } from './masters.ts'
import { failFast, reconnectDelay } from './options.ts'
import { readiness } from './server-info.ts'
import { nameServers, readClusterNode, type RedisServers } from './servers.ts'
import { RECHECK_FIT_MS, RECHECK_UNFIT_MS } from './timing.ts'

export function createClusterLink(options: LinkOptions): Link {
  const { servers, timeoutMs, unsafeEviction, report, onLook } = options
  const name = nameServers(servers)
  const client = createCluster(servers, timeoutMs)
  const health = createHealth(`${name} has not answered yet`, report)
  const masters = createMasters({ name, client, unsafeEviction, report, onChange })
  const recheck = createRecheck(client, masters, health)

  function judge(): void {
    const { unfit, fit } = masters
    if (unfit) health.down(`${name}: ${unfit.problem}`, unfit.word)
    else if (client.status !== 'ready' || !fit[0]) return
    // A node that is new does not take down a link that is up: see vouch().
    else if (health.problem === undefined || masters.areChecked) health.up(readiness(name, fit))
  }

  function onChange(): void {
    judge()
    onLook()
  }

  client.on('+node', (node: Redis) => {
    masters.watch(node)
  })
  client.on('ready', judge)
  client.on('error', (error: unknown) => {
    health.down(`${name} ${faultSentence(error)}`, faultWord(error))
  })
  client.on('close', () => {
    if (health.problem === undefined) health.down(`${name} cannot be reached`, 'disconnected')
  })

  return {
    client,
    name,
    get problem() {
      return health.problem
    },
    get problemWord() {
      return health.word
    },
    get returnsOldValue() {
      return masters.fit.every(({ returnsOldValue }) => returnsOldValue)
    },
    get connections() {
      return masters.connections
    },
    get losses() {
      return masters.losses
    },
    holder: UNKNOWN_HOLDER,
    // The next attempt connects by itself to the node that owns the key by then.
    settled: () => (health.problem === undefined ? Promise.resolve() : health.settled()),
    vouch: () => async () => {
      await masters.checked()
      if (health.problem !== undefined) throw new Error(health.problem)
    },
    close() {
      recheck.cancel()
      masters.close()
      health.end(`${name} is no longer used`)
      client.disconnect()
    },
  }
}

function createCluster({ cluster, ...servers }: RedisServers, timeoutMs: number): Cluster {
  return new Cluster((cluster?.nodes ?? []).map(readNode), {
    redisOptions: { ...readClusterNode({ cluster, ...servers }), ...failFast(timeoutMs) },
    enableOfflineQueue: false,
    enableReadyCheck: false,
    clusterRetryStrategy: reconnectDelay,
    // MOVED and ASK are followed at once; whatever else a node says is an answer.
    maxRedirections: 4,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: 1000,
    slotsRefreshInterval: 10_000,
    // A name is kept, as the certificate holds it and not the address.
    dnsLookup: (host, done) => {
      done(null, host)
    },
  })
}

function createRecheck(client: Cluster, masters: Masters, health: Health) {
  let next: NodeJS.Timeout | undefined
  let cancelled = false

  function schedule(): void {
    if (cancelled) return
    const delay = health.problem === undefined ? RECHECK_FIT_MS : RECHECK_UNFIT_MS
    next = setTimeout(() => void run(), delay).unref()
  }

  async function run(): Promise<void> {
    // The slots may have moved to others, which are looked at as they connect.
    if (health.problem !== undefined && client.status === 'ready') client.refreshSlotsCache()
    await masters.recheck()
    schedule()
  }

  schedule()
  return {
    cancel(): void {
      cancelled = true
      clearTimeout(next)
    },
  }
}
