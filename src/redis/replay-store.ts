/**
 * The replay store that several gateways share. A claim is one `SET` that only one of them can win,
 * and is answered or refused within `timeoutMs`, whatever state Redis is in.
 *
 * Not guaranteed: a Redis that loses writes (failover, restart without persistence) forgets the
 * proofs in them, each of which can be replayed until it expires.
 */

import { randomBytes } from 'node:crypto'
import { Denial } from '../denial.ts'
import { monotonicSeconds } from '../dpop/generations.ts'
import { type ReplayStore, replayKey } from '../dpop/replay.ts'
import { within } from '../deadline.ts'
import { faultWord, isReply } from './fault.ts'
import type { LinkEvent } from './health.ts'
import { createLink, type Link } from './link.ts'
import { createPatience } from './patience.ts'

export interface RedisReplayStoreOptions {
  /** redis://, rediss:// or redis+unix:// with credentials and database, if any. */
  readonly url: string
  /** Put before every key. Default is `dpop:`. */
  readonly keyPrefix?: string
  /** Most time a claim may take, its retry included. Default is 150 ms. */
  readonly timeoutMs?: number
  /** Whether a Redis that may evict proofs before they expire is accepted. Default is false. */
  readonly unsafeEviction?: boolean
  /** Is told of every change of state. */
  readonly report?: (event: LinkEvent) => void
}

/** Whether claims can be answered, and in a sentence why not. */
export type RedisStatus =
  { readonly ready: true } | { readonly ready: false; readonly reason: string }

export interface RedisReplayStore extends ReplayStore {
  status(): RedisStatus
  /** Ends the connection at once; claims in flight are refused. Never waits for Redis. */
  close(): void
}

interface Claim {
  readonly key: string
  readonly attempt: string
  readonly ttlMs: number
  /** On the monotonic clock, in seconds. */
  readonly deadline: number
}

// Bounds what a stalled Redis can pile up here before the breaker opens.
const MAX_IN_FLIGHT = 5000

export function createRedisReplayStore({
  url,
  keyPrefix = 'dpop:',
  timeoutMs = 150,
  unsafeEviction = false,
  report = () => undefined,
}: RedisReplayStoreOptions): RedisReplayStore {
  const link = createLink({ url, timeoutMs, unsafeEviction, report })
  const patience = createPatience(link.name, timeoutMs, report)
  const newAttempt = createAttempts()
  let inFlight = 0

  return {
    async claim(thumbprint, jti, ttlSeconds) {
      if (link.problem !== undefined) throw unavailable('not ready', link.problem)
      if (inFlight >= MAX_IN_FLIGHT) throw unavailable('too many in flight')
      if (!patience.admits()) throw unavailable('breaker open')
      const claim = {
        key: keyPrefix + replayKey(thumbprint, jti),
        attempt: newAttempt(),
        ttlMs: Math.max(1000, Math.ceil(ttlSeconds * 1000)),
        deadline: monotonicSeconds() + timeoutMs / 1000,
      }
      inFlight += 1
      let free: boolean | 'late'
      try {
        free = await within(timeoutMs, take(link, claim))
      } catch (error) {
        if (isReply(error)) patience.answered()
        throw unavailable(faultWord(error), error)
      } finally {
        inFlight -= 1
      }
      if (free === 'late') {
        patience.timedOut()
        throw unavailable('timeout')
      }
      patience.answered()
      return free
    },

    status() {
      const reason = link.problem ?? patience.problem
      return reason === undefined ? { ready: true } : { ready: false, reason }
    },

    close() {
      link.close()
    },
  }
}

/** Claims, and once more where the connection broke under the first attempt. */
async function take(link: Link, claim: Claim): Promise<boolean> {
  try {
    return await send(link, claim)
  } catch (error) {
    // The broken attempt may have been carried out. Only a server that returns the old value tells
    // its trace from a replay; on others the client has to sign a new proof.
    if (isReply(error) || !link.returnsOldValue) throw error
    await link.settled()
    // A request that has been refused meanwhile must not use up its proof.
    if (link.problem !== undefined || monotonicSeconds() >= claim.deadline) throw error
    return send(link, claim)
  }
}

async function send(link: Link, { key, attempt, ttlMs }: Claim): Promise<boolean> {
  if (!link.returnsOldValue) {
    return (await link.client.set(key, attempt, 'PX', ttlMs, 'NX')) === 'OK'
  }
  const holder = await link.client.set(key, attempt, 'PX', ttlMs, 'NX', 'GET')
  return holder === null || holder === attempt
}

/** Names each attempt, so that what is found in Redis can be told to be one's own. */
function createAttempts(): () => string {
  const instance = randomBytes(9).toString('base64url')
  let count = 0
  return () => `${instance}.${(count += 1).toString(36)}`
}

function unavailable(detail: string, cause?: unknown): Denial {
  return new Denial('replay_store_unavailable', { detail, cause })
}
