/**
 * The connection to Redis. It comes back by itself, counts as up only once the server has been found
 * fit to remember proofs, and fails what is sent over it at once when it breaks.
 */

import { Redis } from 'ioredis'
import { readAddress } from './address.ts'
import { faultSentence, isReply } from './fault.ts'
import { createHealth, type Health, type LinkEvent } from './health.ts'
import { readServerInfo, type ServerInfo } from './server-info.ts'

export interface LinkOptions {
  readonly url: string
  readonly timeoutMs: number
  readonly unsafeEviction: boolean
  readonly report: (event: LinkEvent) => void
}

export interface Link {
  readonly client: Redis
  /** For logs: the server, without credentials. */
  readonly name: string
  /** Why nothing may be sent, as a sentence; undefined while the link is up. */
  readonly problem: string | undefined
  /** Whether the server knows `SET … NX GET`. */
  readonly returnsOldValue: boolean
  /** Resolves when a broken link is up again, or the first attempt to bring it up has failed. */
  settled(): Promise<void>
  close(): void
}

// While unfit the whole connection is made anew: a name may by then lead to another server.
const RECHECK_UNFIT_MS = 1000
// What was fit can be reconfigured under a living connection.
const RECHECK_FIT_MS = 30_000

export function createLink({ url, timeoutMs, unsafeEviction, report }: LinkOptions): Link {
  const address = readAddress(url)
  const name = `Redis at ${address.name}`
  const client = new Redis({ ...address.options, ...failFast(timeoutMs) })
  const health = createHealth(`${name} has not answered yet`, report)
  const inspection = createInspection(name, client, health, unsafeEviction)

  client.on('ready', () => void inspection.run())
  client.on('error', (error) => {
    health.down(`${name} ${faultSentence(error)}`)
  })
  client.on('close', () => {
    inspection.cancel()
    // What is known to be wrong says more than that the connection is down because of it.
    if (health.problem === undefined) health.down(`${name} closed the connection`)
  })

  return {
    client,
    name,
    get problem() {
      return health.problem
    },
    get returnsOldValue() {
      return inspection.returnsOldValue
    },
    settled: () => health.settled(),
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
  let next: NodeJS.Timeout | undefined

  async function run(): Promise<void> {
    try {
      const server = readServerInfo(await client.info(), unsafeEviction)
      returnsOldValue = server.returnsOldValue
      if (server.problem === undefined) health.up(readiness(name, server))
      else health.down(`${name} ${server.problem}`)
    } catch (error) {
      // Without a reply the connection is gone: its end is reported as such, and it is made anew.
      if (!isReply(error)) return
      health.down(`${name} ${faultSentence(error)}`)
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
  }
}

function readiness(name: string, { version, evicts }: ServerInfo): LinkEvent {
  const ready = `${name} is ready (version ${version})`
  return evicts
    ? { level: 'warn', message: `${ready}, but may evict proofs, as replay.unsafeEviction allows` }
    : { level: 'info', message: ready }
}

/** As they come, ioredis's defaults keep a request waiting for many seconds. */
function failFast(timeoutMs: number) {
  return {
    connectionName: 'dpop-gateway',
    disableClientInfo: true,
    protocol: 2,
    // INFO is asked for and judged here.
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Zero, not null: what was in flight when the connection broke then fails at once.
    maxRetriesPerRequest: 0,
    // One write for all that is asked for in a turn of the event loop.
    enableAutoPipelining: true,
    connectTimeout: 1000,
    // A server that says nothing for so long while it owes an answer may be on the far side of a
    // network that swallows packets, and only a new connection finds out when that is over.
    socketTimeout: Math.max(1000, 4 * timeoutMs),
    disconnectTimeout: 100,
    // After a failover the name in the URL leads to the new master.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    retryStrategy: (attempt: number) =>
      Math.min(500, 10 * 2 ** attempt) * (0.5 + Math.random() / 2),
  } as const
}
