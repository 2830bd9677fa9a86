/** A port whose kernel takes no more connections: what connects to it waits until it gives up. */
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { Owner } from './owner.ts'

// A thread that never returns to its event loop accepts nobody, and the queue for one is full soon.
const LISTEN = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`

export async function startDeafServer(t: Owner): Promise<string> {
  const worker = new Worker(LISTEN, { eval: true })
  const port = await new Promise<number>((resolve) => worker.once('message', resolve))
  const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'))
  for (const socket of sockets) socket.on('error', () => undefined)
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await worker.terminate()
  })
  // Two are let into the queue; from then on it is full.
  const connected = (index: number) =>
    new Promise<void>((resolve) => sockets[index]?.once('connect', resolve))
  await Promise.all([connected(0), connected(1)])
  return `http://127.0.0.1:${port}`
}
