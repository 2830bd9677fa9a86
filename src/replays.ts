/** The configured replay store, with the share of it that one key may take. */
import type { Component } from './admin/server.ts'
import type { ReplayConfig } from './config/schema.ts'
import { createMemoryReplayStore } from './dpop/memory-replay-store.ts'
import { fallBackToLocal } from './dpop/replay-fallback.ts'
import type { ReplayStore } from './dpop/replay.ts'
import { limitPerKey } from './dpop/replay-share.ts'
import type { Logger } from './log.ts'
import { createRedisReplayStore } from './redis/replay-store.ts'

interface Store {
  readonly store: ReplayStore
  /** Whether requests can be decided. */
  readonly status: () => Component
  /** Whether the store itself can be reached. */
  readonly isStoreReady: () => boolean
  readonly close: () => void
}

export interface Replays extends Store {
  /**
   * The same store for proofs that come without a token. Who makes those needs no token, only any
   * number of keys, so all of them together have the share of one key.
   */
  readonly tokenless: ReplayStore
}

export function createReplays(config: ReplayConfig, logger: Logger): Replays {
  const { store, ...rest } = config.store === 'redis' ? shared(config, logger) : local(config)
  const { maxEntriesPerKey } = config
  return {
    ...rest,
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

function shared(config: ReplayConfig, logger: Logger): Store {
  const { url = '', keyPrefix, timeout, unsafeEviction, onOutage, maxEntries } = config
  const redis = createRedisReplayStore({
    url,
    keyPrefix,
    timeoutMs: timeout,
    unsafeEviction,
    report: ({ level, message }) => {
      logger[level]({ component: 'replayStore', onOutage }, message)
    },
  })
  const replays: Store = {
    store: redis,
    status: () => redis.status(),
    isStoreReady: () => redis.status().ready,
    close: () => {
      redis.close()
    },
  }
  if (onOutage === 'refuse') return replays
  return {
    ...replays,
    store: fallBackToLocal(redis, createMemoryReplayStore({ maxEntries })),
    status: () => ({ ...redis.status(), ready: true }),
  }
}
