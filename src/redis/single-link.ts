/** The link to one server: that of a URL, or the master that Sentinels name. */

import { Redis } from 'ioredis'
import { monotonicSeconds } from '../dpop/generations.ts'
import { faultSentence, faultWord, isReply } from './fault.ts'
import { createHealth, type Health } from './health.ts'
import { hasForgotten, UNKNOWN_HOLDER } from './holder.ts'
import type { Link, LinkOptions } from './link.ts'
import { failFast, reconnectDelay } from './options.ts'
import { losesProofs, readiness, readServerInfo, type ServerInfo } from './server-info.ts'
import { nameServers, readSingle } from './servers.ts'
import { RECHECK_FIT_MS, RECHECK_UNFIT_MS } from './timing.ts'

/** Less than a server takes to become a replica, fetch the data of another and be a master again. */
const QUIET_SECONDS = 0.1

export function createSingleLink(options: LinkOptions): Link {
  const { servers, timeoutMs, report } = options
  const name = nameServers(servers)
  const client = new Redis({
    ...readSingle(servers),
    ...failFast(timeoutMs),
    enableOfflineQueue: false,
    retryStrategy: reconnectDelay,
    sentinelRetryStrategy: reconnectDelay,
  })
  const health = createHealth(`${name} has not answered yet`, report)
  const inspection = createInspection(name, client, health, options)

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
    get losses() {
      return inspection.losses
    },
    get holder() {
      return inspection.holder
    },
    settled: () => health.settled(),
    vouch: inspection.vouch,
    close() {
      inspection.cancel()
      health.end(`${name} is no longer used`)
      client.disconnect()
    },
  }
}

/** Finds out whether the server is fit, now and again and again for as long as it is connected. */
function createInspection(
  name: string,
  client: Redis,
  health: Health,
  { unsafeEviction, onLook }: LinkOptions,
) {
  let returnsOldValue = false
  const history = createHistory()
  let vouchedAt = -Infinity
  let next: NodeJS.Timeout | undefined

  async function run(): Promise<void> {
    try {
      const server = readServerInfo(await client.info(), unsafeEviction)
      returnsOldValue = server.returnsOldValue
      history.note(server, health.problem !== undefined)
      if (server.problem === undefined) health.up(readiness(name, [server]))
      else health.down(`${name} ${server.problem}`, server.word)
      onLook()
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

  /**
   * Whoever asks all the time is told by an error when the server is a replica for a moment. After a
   * pause it is looked at behind the claims, as that moment may be over.
   */
  function vouch(): () => Promise<void> {
    const now = monotonicSeconds()
    const wasQuiet = now - vouchedAt > QUIET_SECONDS
    vouchedAt = now
    if (!wasQuiet) return () => Promise.resolve()
    const looked = run()
    return async () => {
      await looked
      if (health.problem !== undefined) throw new Error(health.problem)
    }
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
    vouch,
    get returnsOldValue() {
      return returnsOldValue
    },
    get connections() {
      return history.connections
    },
    get losses() {
      return history.losses
    },
    get holder() {
      return history.holder
    },
  }
}

/** What one look after the other tells of the data. */
function createHistory() {
  let connections = 0
  let losses = 0
  let holder = UNKNOWN_HOLDER
  /** The server that was seen to lose proofs last. */
  let lapsed: string | undefined

  return {
    note(server: ServerInfo, isNew: boolean): void {
      const { runId } = server.holder
      if (server.problem !== undefined) {
        if (losesProofs(server)) lapsed = runId
        return
      }
      if (lapsed === runId) {
        lapsed = undefined
        losses += 1
      }
      if (isNew || hasForgotten(holder, server.holder)) connections += 1
      holder = server.holder
    },
    get connections() {
      return connections
    },
    get losses() {
      return losses
    },
    get holder() {
      return holder
    },
  }
}
