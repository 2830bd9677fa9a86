/** Replay stores and plain clients for the tests of src/redis, closed when their test ends. */

import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { Denial } from '../../src/denial.ts'
import {
  createRedisReplayStore,
  type RedisReplayStore,
  type RedisReplayStoreOptions,
} from '../../src/redis/replay-store.ts'
import { take } from '../dpop/replay-store.contract.ts'
import { until } from '../support/until.ts'

export const KEY = 'A'.repeat(43)

export interface TestStore extends RedisReplayStore {
  readonly events: readonly string[]
  /** Claims, and says whether it was free. */
  readonly take: (thumbprint: string, jti: string, ttlSeconds: number) => Promise<boolean>
}

export function createStore(t: Test, options: RedisReplayStoreOptions): TestStore {
  const events: string[] = []
  const store = createRedisReplayStore({
    // Long, so that a busy machine is not taken for an outage by tests of something else.
    timeoutMs: 3000,
    ...options,
    report: ({ level, message }) => void events.push(`${level}: ${message}`),
  })
  t.teardown(() => {
    store.close()
  })
  return {
    ...store,
    events,
    take: (...claim) => take(store, ...claim),
  }
}

export async function createReadyStore(
  t: Test,
  options: RedisReplayStoreOptions,
): Promise<TestStore> {
  const store = createStore(t, options)
  await until(() => store.status().ready)
  return store
}

/** A plain client to look at what is in Redis and to change how it is set up. */
export function createClient(t: Test, url: string): Redis {
  const client = new Redis(url)
  client.on('error', () => undefined)
  t.teardown(() => {
    client.disconnect()
  })
  return client
}

let count = 0

/** The detail a claim of a new proof is refused with, or undefined where it is accepted. */
export async function refusalOf(store: RedisReplayStore): Promise<string | undefined> {
  try {
    await take(store, KEY, `proof ${(count += 1)}`, 60)
    return undefined
  } catch (error) {
    if (error instanceof Denial && error.code === 'replay_store_unavailable') return error.detail
    throw error
  }
}
