/** The link to one server: that of a URL, or the master that Sentinels name. */

import { Redis } from 'ioredis'
import { faultSentence, faultWord, isReply } from './fault.ts'
import { createHealth, type Health } from './health.ts'
import type { Link, LinkOptions } from './link.ts'
import { failFast, reconnectDelay } from './options.ts'
import { readiness, readServerInfo } from './server-info.ts'
import { nameServers, readSingle } from './servers.ts'
import { RECHECK_FIT_MS, RECHECK_UNFIT_MS } from './timing.ts'

export function createSingleLink({
  servers,
  timeoutMs,
  unsafeEviction,
  report,
}: LinkOptions): Link {
  const name = nameServers(servers)
  const client = new Redis({
    ...readSingle(servers),
    ...failFast(timeoutMs),
    enableOfflineQueue: false,
    // One write for all that is asked for in a turn of the event loop.
    enableAutoPipelining: true,
    retryStrategy: reconnectDelay,
    sentinelRetryStrategy: reconnectDelay,
  })
  const health = createHealth(`${name} has not answered yet`, report)
  const inspection = createInspection(name, client, health, unsafeEviction)

  client.on('ready', () => void inspection.run())
  client.on('error', (error) => {
    health.down(`${name} ${faultSentence(error)}`, faultWord(error))
  })
  client.on('close', () => {
    inspection.cancel()
    // What is known to be wrong says more than that the connection is down because of it.
    if (health.problem === undefined) health.down(`${name} closed the connection`, 'disconnected')
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
      return inspection.returnsOldValue
    },
    get connections() {
      return inspection.connections
    },
    settled: () => health.settled(),
    vouched: () => Promise.resolve(),
    close() {
      inspection.cancel()
      health.end(`${name} is no longer used`)
      client.disconnect()
    },
  }
}

/** Finds out whether the server is fit, now and again and again for as long as it is connected. */
function createInspection(name: string, client: Redis, health: Health, unsafeEviction: boolean) {
  let returnsOldValue = false
  let connections = 0
  let next: NodeJS.Timeout | undefined

  async function run(): Promise<void> {
    try {
      const server = readServerInfo(await client.info(), unsafeEviction)
      returnsOldValue = server.returnsOldValue
      if (server.problem === undefined) {
        if (health.problem !== undefined) connections += 1
        health.up(readiness(name, [server]))
      } else health.down(`${name} ${server.problem}`, server.word)
    } catch (error) {
      // Without a reply the connection is gone: its end is reported as such, and it is made anew.
      if (!isReply(error)) return
      health.down(`${name} ${faultSentence(error)}`, faultWord(error))
    }
    cancel()
    if (health.problem === undefined) next = setTimeout(() => void run(), RECHECK_FIT_MS)
    else next = setTimeout(reconnect, RECHECK_UNFIT_MS)
    next.unref()
  }

  function reconnect(): void {
    if (client.status === 'ready') client.disconnect(true)
  }

  function cancel(): void {
    clearTimeout(next)
  }

  return {
    run,
    cancel,
    get returnsOldValue() {
      return returnsOldValue
    },
    get connections() {
      return connections
    },
  }
}
