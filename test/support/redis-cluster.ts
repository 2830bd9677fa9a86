/** A real Redis Cluster of masters without replicas, each with a third of the slots. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { freePort, startRedis, type TestRedis } from './redis.ts'
import { until } from './until.ts'

const SLOTS = [
  [0, 5460],
  [5461, 10_922],
  [10_923, 16_383],
] as const

interface TestNode extends TestRedis {
  readonly busPort: number
}

export interface TestCluster {
  /** host:port of each. */
  readonly nodes: readonly string[]
  readonly masters: readonly TestNode[]
  /** One client for each of the masters. */
  readonly clients: readonly Redis[]
}

export async function startCluster(
  t: Test,
  args: readonly string[] = [],
  password?: string,
): Promise<TestCluster> {
  const masters = await Promise.all(SLOTS.map(() => startNode(t, args)))
  const clients = masters.map(({ url }) => {
    const client = new Redis(url, { ...(password !== undefined && { password }) })
    client.on('error', () => undefined)
    t.teardown(() => {
      client.disconnect()
    })
    return client
  })
  for (const [at, [first, last]] of SLOTS.entries()) {
    await clients[at]?.cluster('ADDSLOTSRANGE', first, last)
    await clients[at]?.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)
  }
  for (const master of masters.slice(1)) await meet(clients[0], master)
  await untilAllKnow(clients)
  return { nodes: masters.map(({ port }) => `127.0.0.1:${port}`), masters, clients }
}

export async function startNode(t: Test, args: readonly string[]): Promise<TestNode> {
  const busPort = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'redis-cluster-'))
  const redis = await startRedis(t, [
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-node-timeout', '2000', '--dir', folder, ...args],
  ])
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return Object.assign(redis, { busPort })
}

/** Makes a node, whose client is the last, a master without slots. */
export async function joinCluster(clients: readonly Redis[], node: TestNode): Promise<void> {
  await clients.at(-1)?.call('CLUSTER', 'SET-CONFIG-EPOCH', clients.length)
  await meet(clients[0], node)
  await untilAllKnow(clients)
}

/** Gives slots, which must hold no keys, to the node with that name. */
export async function moveSlots(
  clients: readonly Redis[],
  [first, last]: readonly [number, number],
  target: string,
): Promise<void> {
  const slots = Array.from({ length: last - first + 1 }, (_, at) => first + at)
  for (const client of clients) {
    const pipeline = client.pipeline()
    for (const slot of slots) pipeline.call('CLUSTER', 'SETSLOT', slot, 'NODE', target)
    await pipeline.exec()
  }
}

async function meet(client: Redis | undefined, { port, busPort }: TestNode): Promise<void> {
  await client?.cluster('MEET', '127.0.0.1', port, busPort)
}

async function untilAllKnow(clients: readonly Redis[]): Promise<void> {
  const isThere = new RegExp(`cluster_state:ok[^]*known_nodes:${clients.length}`)
  await until(async () => {
    const states = await Promise.all(clients.map((client) => client.cluster('INFO')))
    return states.every((state) => isThere.test(state))
  }, 30_000)
}
