/** A real master with a replica, and Sentinels that watch them. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Owner } from './owner.ts'
import { freePort, startRedis, type TestRedis } from './redis.ts'

export interface TestSentinels {
  readonly master: TestRedis
  readonly replica: TestRedis
  /** host:port of each Sentinel, which all call the master `mymaster`. */
  readonly hosts: readonly string[]
}

export interface SentinelSetup {
  /** For both servers. */
  readonly redisArgs?: readonly string[]
  /** Lines for the file of each Sentinel. */
  readonly sentinelLines?: readonly string[]
}

export async function startSentinels(
  t: Owner,
  { redisArgs = [], sentinelLines = [] }: SentinelSetup = {},
): Promise<TestSentinels> {
  const master = await startRedis(t, redisArgs)
  const replicaOf = ['--replicaof', `127.0.0.1 ${master.port}`, '--repl-diskless-sync-delay', '0']
  const replica = await startRedis(t, [...redisArgs, ...replicaOf])
  const ports = await Promise.all([1, 2, 3].map(() => freePort()))
  await Promise.all(ports.map((port) => startSentinel(t, port, master.port, sentinelLines)))
  return { master, replica, hosts: ports.map((port) => `127.0.0.1:${port}`) }
}

async function startSentinel(
  t: Owner,
  port: number,
  masterPort: number,
  lines: readonly string[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-'))
  const file = join(folder, 'sentinel.conf')
  const text = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor mymaster 127.0.0.1 ${masterPort} 2`,
    'sentinel down-after-milliseconds mymaster 1000',
    'sentinel failover-timeout mymaster 5000',
    ...lines,
  ]
  writeFileSync(file, `${text.join('\n')}\n`)
  const sentinel = spawn('redis-server', [file, '--sentinel'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(async () => {
    const exit = once(sentinel, 'exit')
    if (sentinel.kill('SIGKILL')) await exit
    rmSync(folder, { recursive: true, force: true })
  })
  for await (const line of createInterface(sentinel.stdout)) {
    if (!line.includes('Sentinel ID is')) continue
    sentinel.stdout.resume()
    return
  }
  throw new Error(`no Sentinel started on port ${port}`)
}
