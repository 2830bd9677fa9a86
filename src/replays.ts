/** The configured replay store, with the share of it that one key may take. */
import type { Component } from './admin/server.ts'
import type { ReplayConfig } from './config/schema.ts'
import { createMemoryReplayStore } from './dpop/memory-replay-store.ts'
import type { ReplayStore } from './dpop/replay.ts'
import { limitPerKey } from './dpop/replay-share.ts'
import type { Logger } from './log.ts'
import { createRedisReplayStore } from './redis/replay-store.ts'

export interface Replays {
  readonly store: ReplayStore
  readonly status: () => Component
  readonly close: () => void
}

export function createReplays(config: ReplayConfig, logger: Logger): Replays {
  const { store, status, close } = config.store === 'redis' ? shared(config, logger) : local(config)
  const { maxEntriesPerKey } = config
  return { store: limitPerKey(store, { maxEntriesPerKey }), status, close }
}

function local({ maxEntries }: ReplayConfig): Replays {
  return {
    store: createMemoryReplayStore({ maxEntries }),
    status: () => ({ ready: true }),
    close: () => undefined,
  }
}

function shared(config: ReplayConfig, logger: Logger): Replays {
  const { url = '', keyPrefix, timeout, unsafeEviction } = config
  const store = createRedisReplayStore({
    url,
    keyPrefix,
    timeoutMs: timeout,
    unsafeEviction,
    report: ({ level, message }) => {
      logger[level]({ component: 'replayStore' }, message)
    },
  })
  return {
    store,
    status: () => store.status(),
    close: () => {
      store.close()
    },
  }
}
