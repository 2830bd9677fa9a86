/** Downloads that nobody takes to the end, or only slowly, leave nothing behind in a gateway process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readMetrics } from '../support/metrics.ts'
import { startGateway } from '../support/process.ts'
import { openRaw, requestText } from '../support/raw-http.ts'
import { until } from '../support/until.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const MiB = 1024 * 1024
const PATIENCE_MS = 120_000

async function start(t: Test, upstream: Upstream) {
  const folder = mkdtempSync(join(tmpdir(), 'downloads-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'gateway.yaml')
  writeFileSync(
    file,
    `
server: { listen: 127.0.0.1:0, drain: { delay: 0s, timeout: 1s } }
admin: { listen: 127.0.0.1:0 }
log: { level: info, accessLog: false }
issuers: { main: { issuer: "http://127.0.0.1:9", audience: none } }
routes:
  - { name: all, path: /*, access: public, upstream: "${upstream.url}", timeouts: { idle: 60s } }`,
  )
  const gateway = await startGateway(t, file)
  const adminPort = Number(new URL(gateway.admin).port)
  const sample = async () => {
    const metrics = await readMetrics(adminPort)
    const read = (name: string) => metrics.get(name) ?? Number.NaN
    return {
      sockets: read('nodejs_active_resources{type="TCPSocketWrap"}'),
      heap: read('nodejs_heap_size_used_bytes') + read('nodejs_external_memory_bytes'),
      resident: read('process_resident_memory_bytes'),
    }
  }
  return { port: Number(new URL(gateway.traffic).port), sample }
}

function connectionsOf({ server }: Upstream): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error) reject(error)
      else resolve(count)
    })
  })
}

/** Asks, takes the beginning of an answer without end, and goes away. */
async function abandon(port: number, nth: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
  socket.write(requestText(port, { path: '/huge' }))
  await new Promise((resolve) => socket.once('data', resolve))
  if (nth % 2 === 0) socket.resetAndDestroy()
  else socket.destroy()
}

t.test('1,000 aborted downloads', { timeout: 2 * PATIENCE_MS }, async (t) => {
  const upstream = await startUpstream(t, 'huge')
  const { port, sample } = await start(t, upstream)
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, nth) => abandon(port, nth)))
    }
    await until(async () => (await connectionsOf(upstream)) === 0, PATIENCE_MS)
  }
  await rounds(20) // The first ones fill caches and pools.
  const before = await sample()
  t.ok(before.heap > 0, `${before.heap / MiB} MiB before`)
  t.ok(before.sockets > 0, 'the one that asks, if no other')
  await rounds(100)
  t.pass('no connection is left at the upstream')

  // What is not collected yet is by and by: each sample makes some garbage of its own.
  const isBack = async () => {
    const { sockets, heap } = await sample()
    return sockets <= before.sockets + 1 && heap < before.heap + 8 * MiB
  }
  await until(isBack, PATIENCE_MS)
  const after = await sample()
  t.ok(after.resident < before.resident + 100 * MiB, `${after.resident / MiB} MiB resident`)
  upstream.behave('echo')
  const client = await openRaw(port)
  client.write(requestText(port, { path: '/x' }))
  t.match(await client.read({ deadlineMs: PATIENCE_MS }), { status: 200 }, 'and it serves')
  client.destroy()
})

t.test('100 MiB through a slow reader', { timeout: 2 * PATIENCE_MS }, async (t) => {
  const upstream = await startUpstream(t, 'huge')
  const { port, sample } = await start(t, upstream)
  for (let nth = 0; nth < 10; nth++) await abandon(port, nth)
  await until(async () => (await connectionsOf(upstream)) === 0, PATIENCE_MS)
  const before = await sample()

  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
  t.teardown(() => socket.destroy())
  socket.write(requestText(port, { path: '/huge' }))
  let most = 0
  for (let taken = 0; taken < 100; taken += 5) {
    await take(socket, 5 * MiB)
    const { resident } = await sample() // While nothing is taken, and the upstream would go on.
    most = Math.max(most, resident)
  }
  const growth = (most - before.resident) / MiB
  t.ok(growth < 48, `grew by ${growth.toFixed(1)} MiB`)
})

/** Reads so many bytes and no more. */
function take(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let taken = 0
    const onData = (chunk: Buffer) => {
      taken += chunk.length
      if (taken < bytes) return
      socket.off('data', onData).pause()
      resolve()
    }
    socket.on('data', onData).resume()
  })
}
