/** The options of ioredis that make every connection fail fast and come back by itself. */

/** As they come, ioredis's defaults keep a request waiting for many seconds. */
export function failFast(timeoutMs: number) {
  return {
    connectionName: 'dpop-gateway',
    disableClientInfo: true,
    protocol: 2,
    // INFO is asked for and judged here.
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    // Zero, not null: what was in flight when the connection broke then fails at once.
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    // A server that says nothing for so long while it owes an answer may be on the far side of a
    // network that swallows packets, and only a new connection finds out when that is over.
    socketTimeout: Math.max(1000, 4 * timeoutMs),
    disconnectTimeout: 100,
    // What has become a replica is no longer what the URL or the Sentinels lead to.
    reconnectOnError: (error: Error) => /^(READONLY|MASTERDOWN)/.test(error.message),
  } as const
}

/** Half a second at most, and not all instances at once. */
export function reconnectDelay(attempt: number): number {
  return Math.min(500, 10 * 2 ** attempt) * (0.5 + Math.random() / 2)
}
