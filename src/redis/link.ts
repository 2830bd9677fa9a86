/**
 * The connection to Redis, in whichever way it is set up. It comes back by itself, counts as up only
 * once the server has been found fit to remember proofs, and fails what is sent over it at once when
 * it breaks.
 */

import type { Redis } from 'ioredis'
import type { LinkEvent } from './health.ts'
import type { SeenHolder } from './holder.ts'
import type { RedisServers } from './servers.ts'

export interface LinkOptions {
  readonly servers: RedisServers
  readonly timeoutMs: number
  readonly unsafeEviction: boolean
  readonly report: (event: LinkEvent) => void
  /** Called each time a server has been looked at. */
  readonly onLook: () => void
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
   * How many new connections, or servers with other data, have been found fit so far. What was
   * known of what Redis holds is in doubt after each: it may be another, or the same without it.
   */
  readonly connections: number
  /** How often a server that is fit again has certainly been one that loses proofs in between. */
  readonly losses: number
  /** What the one server says it is; in a cluster nothing is known of it. */
  readonly holder: SeenHolder
  /** Resolves when a broken link is up again, or the first attempt to bring it up has failed. */
  settled(): Promise<void>
  /**
   * To be called when something has just been sent. What it returns resolves once whatever may have
   * answered has been found fit, and rejects where it has not. An answer counts only after that: a
   * cluster sends to nodes that were not known before.
   */
  vouch(): () => Promise<void>
  close(): void
}
