/** Claims as many proofs as it is told to, in memory or in the Redis it is given, and prints what each takes up. */
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import type { ReplayStore } from '../../src/dpop/replay.ts'
import { createRedisReplayStore } from '../../src/redis/replay-store.ts'
import { until } from '../../test/support/until.ts'

const [entries, url] = [Number(process.argv[2]), process.argv[3] ?? '']
const IN_FLIGHT = 1_000
/** Longer than it takes. */
const TTL_SECONDS = 600

async function fill(store: ReplayStore): Promise<void> {
  const thumbprint = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
  for (let from = 0; from < entries; from += IN_FLIGHT) {
    const count = Math.min(IN_FLIGHT, entries - from)
    const claims = Array.from({ length: count }, () =>
      store.claim({ thumbprint, jti: randomUUID(), ttlSeconds: TTL_SECONDS }),
    )
    for (const claim of claims) {
      const { isFirst } = await claim
      if (!isFirst) throw new Error('a new proof was called a replay')
    }
  }
}

async function ofMemory(): Promise<number> {
  const used = () => {
    globalThis.gc?.()
    return process.memoryUsage().rss
  }
  const store = createMemoryReplayStore({ maxEntries: entries + 1 })
  const before = used()
  await fill(store)
  const after = used()
  await store.claim({ thumbprint: 'x', jti: 'y', ttlSeconds: 1 }) // So that it lives until here.
  return (after - before) / entries
}

async function ofRedis(): Promise<number> {
  const store = createRedisReplayStore({ url, timeoutMs: 10_000 })
  try {
    await until(() => store.status().ready)
    const before = await usedMemory()
    await fill(store)
    return ((await usedMemory()) - before) / entries
  } finally {
    store.close()
  }
}

/** As Redis itself counts it. */
function usedMemory(): Promise<number> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname).on('error', reject)
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      const bytes = /used_memory:(\d+)\r/.exec(text)?.[1]
      if (bytes === undefined) return
      socket.destroy()
      resolve(Number(bytes))
    })
    socket.write('INFO memory\r\n')
  })
}

console.log(url === '' ? await ofMemory() : await ofRedis())
