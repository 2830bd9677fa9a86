/**
 * An answer that came whole in one turn, in pieces that were more than a socket takes at once, was
 * waited for although it had ended: after `timeouts.idle` its connection was cut off, in the middle
 * of whatever was answered on it by then.
 */
import { Agent, get, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'

const IDLE_MS = 300
const PIECE = 'x'.repeat(30_000)
const CHUNK = `${PIECE.length.toString(16)}\r\n${PIECE}\r\n`
const BIG = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK}${CHUNK}0\r\n\r\n`
/** For longer than the first one would have been waited for, and never idle itself. */
const SLOW = { bytes: 8, pauseMs: 100 }

t.test('a connection outlives the answers it carried', async (t) => {
  const upstream = await startRawUpstream(t, (socket, nth) => {
    if (nth === 1) socket.write(BIG)
    else void writeSlowly((text) => socket.write(text))
  })
  const { port } = await createStage(t, {
    routes: () =>
      `- { name: all, path: /*, access: public, upstream: ${upstream.url}, timeouts: { idle: ${IDLE_MS}ms } }`,
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => {
    agent.destroy()
  })
  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get({ port, agent, path: '/' }, resolve).on('error', reject)
    })
  const big = await ask()
  const { localPort } = big.socket
  t.equal(await lengthOf(big), 2 * PIECE.length)
  const slow = await ask()
  t.equal(slow.socket.localPort, localPort, 'the same connection')
  t.equal(await lengthOf(slow), SLOW.bytes)
})

async function writeSlowly(write: (text: string) => void): Promise<void> {
  write(`HTTP/1.1 200 OK\r\nContent-Length: ${SLOW.bytes}\r\n\r\n`)
  for (let sent = 0; sent < SLOW.bytes; sent++) {
    await delay(SLOW.pauseMs)
    write('y')
  }
}

async function lengthOf(answer: IncomingMessage): Promise<number> {
  let length = 0
  for await (const chunk of answer) length += (chunk as Buffer).length
  return length
}
