/** The configured replay store, with the share of it that one key may take. */
import type { Component } from '../admin/server.ts'
import { redisTlsOf } from '../config/certificates.ts'
import type { Config, ReplayConfig } from '../config/schema.ts'
import { Denial } from '../denial.ts'
import { createMemoryReplayStore } from '../dpop/memory-replay-store.ts'
import { fallBackToLocal, fallBackToNonces } from '../dpop/replay-fallback.ts'
import type { ReplayStore } from '../dpop/replay.ts'
import { limitPerKey } from '../dpop/replay-share.ts'
import { createReplaySpan } from '../dpop/replay-span.ts'
import type { Logger } from '../log.ts'
import { createRedisReplayStore, type RedisReplayStore } from '../redis/replay-store.ts'
import type { Lengthening } from './retention.ts'

interface Store {
  readonly store: ReplayStore
  /** Whether requests can be decided. */
  readonly status: () => Component
  /** Whether the store itself can be reached. */
  readonly isStoreReady: () => boolean
  /** What proofs are claimed by while it cannot; undefined where they are refused. */
  readonly fallback?: 'nonce' | 'local'
  readonly close: () => void
}

export interface Replays extends Store {
  /**
   * The same store for proofs that come without a token. Who makes those needs no token, only any
   * number of keys, so all of them together have the share of one key.
   */
  readonly tokenless: ReplayStore
  /** What was used before that change would be forgotten too soon, and is refused. */
  readonly lengthen: (change: Lengthening) => void
}

export interface ReplayOptions {
  readonly logger: Logger
  /** Epoch seconds, whole. */
  readonly clock: () => number
  /** Told of every claim that Redis could not answer; the reason is one of few words. */
  readonly onFailure: (reason: string) => void
}

export function createReplays(config: Config, options: ReplayOptions): Replays {
  const { replay } = config
  const base = replay.store === 'redis' ? shared(config, options) : local(replay)
  const { store, lengthen } = createReplaySpan(base.store, options.clock)
  const { maxEntriesPerKey } = replay
  return {
    ...base,
    lengthen: ({ fromSeconds, at }) => {
      lengthen(fromSeconds, at)
    },
    store: limitPerKey(store, { maxEntriesPerKey }),
    tokenless: limitPerKey(store, { maxEntriesPerKey, shareOf: () => 'all' }),
  }
}

function local({ maxEntries }: ReplayConfig): Store {
  return {
    store: createMemoryReplayStore({ maxEntries }),
    status: () => ({ ready: true }),
    isStoreReady: () => true,
    close: () => undefined,
  }
}

function shared(config: Config, { logger, clock, onFailure }: ReplayOptions): Store {
  const { url, sentinel, cluster } = config.replay
  const { keyPrefix, timeout, unsafeEviction, onOutage, maxEntries } = config.replay
  const redis = createRedisReplayStore({
    ...{ url, sentinel, cluster, tls: redisTlsOf(config) },
    keyPrefix,
    timeoutMs: timeout,
    unsafeEviction,
    clock,
    report: ({ level, message }) => {
      logger[level]({ component: 'replayStore', onOutage }, message)
    },
  })
  const store = countFailures(redis, onFailure)
  const replays: Store = {
    store,
    status: () => redis.status(),
    isStoreReady: () => redis.status().ready,
    close: () => {
      redis.close()
    },
  }
  if (onOutage === 'refuse') return replays
  const own = createMemoryReplayStore({ maxEntries })
  return {
    ...replays,
    store: onOutage === 'nonce' ? fallBackToNonces(store, own, clock) : fallBackToLocal(store, own),
    status: () => ({ ...redis.status(), ready: true }),
    fallback: onOutage,
  }
}

function countFailures(redis: RedisReplayStore, onFailure: (reason: string) => void): ReplayStore {
  return {
    async claim(claim) {
      try {
        return await redis.claim(claim)
      } catch (error) {
        if (error instanceof Denial) onFailure(reasonOf(error, redis))
        throw error
      }
    },
  }
}

/** The word of Redis itself, such as `READONLY`, or what came in the way. */
function reasonOf({ detail = 'unknown' }: Denial, redis: RedisReplayStore): string {
  const reason = detail === 'not ready' ? (redis.problemWord() ?? detail) : detail
  return reason.replaceAll(' ', '_')
}
