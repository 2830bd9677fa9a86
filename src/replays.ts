/** The configured replay store, with the share of it that one key may take. */
import type { Component } from './admin/server.ts'
import type { ReplayConfig } from './config/schema.ts'
import { createMemoryReplayStore } from './dpop/memory-replay-store.ts'
import { fallBackToLocal } from './dpop/replay-fallback.ts'
import type { ReplayStore } from './dpop/replay.ts'
import { limitPerKey } from './dpop/replay-share.ts'
import type { Logger } from './log.ts'
import { createRedisReplayStore } from './redis/replay-store.ts'

export interface Replays {
  readonly store: ReplayStore
  /** Whether requests can be decided. */
  readonly status: () => Component
  /** Whether the store itself can be reached. */
  readonly isStoreReady: () => boolean
  readonly close: () => void
}

export function createReplays(config: ReplayConfig, logger: Logger): Replays {
  const { store, ...rest } = config.store === 'redis' ? shared(config, logger) : local(config)
  const { maxEntriesPerKey } = config
  return { store: limitPerKey(store, { maxEntriesPerKey }), ...rest }
}

function local({ maxEntries }: ReplayConfig): Replays {
  return {
    store: createMemoryReplayStore({ maxEntries }),
    status: () => ({ ready: true }),
    isStoreReady: () => true,
    close: () => undefined,
  }
}

function shared(config: ReplayConfig, logger: Logger): Replays {
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
  const replays: Replays = {
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
