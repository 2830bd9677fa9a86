/**
 * The connection to Redis, in whichever way it is set up. It comes back by itself, counts as up only
 * once the server has been found fit to remember proofs, and fails what is sent over it at once when
 * it breaks.
 */

import type { Redis } from 'ioredis'
import type { LinkEvent } from './health.ts'
import type { RedisServers } from './servers.ts'

export interface LinkOptions {
  readonly servers: RedisServers
  readonly timeoutMs: number
  readonly unsafeEviction: boolean
  readonly report: (event: LinkEvent) => void
}

export interface Link {
  readonly client: Pick<Redis, 'set' | 'get' | 'info' | 'pipeline'>
  /** For logs: the server, without credentials. */
  readonly name: string
  /** Why nothing may be sent, as a sentence; undefined while the link is up. */
  readonly problem: string | undefined
  /** The same as a word, for metrics. */
  readonly problemWord: string | undefined
  /** Whether the server knows `SET … NX GET`. */
  readonly returnsOldValue: boolean
  /**
   * How many new connections have been found fit so far. What was known of what Redis holds is in
   * doubt after each: it may be another server, or the same without its data.
   */
  readonly connections: number
  /** Resolves when a broken link is up again, or the first attempt to bring it up has failed. */
  settled(): Promise<void>
  /**
   * Resolves once whatever may have answered until now has been found fit, and rejects where it has
   * not. An answer counts only after that: a cluster sends to nodes that were not known before.
   */
  vouched(): Promise<void>
  close(): void
}
