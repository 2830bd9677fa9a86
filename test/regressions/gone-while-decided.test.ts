/** A client that goes away while its request is decided on leaves nothing behind. */
import t, { type Test } from 'tap'
import { openRaw, requestText, type Header } from '../support/raw-http.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage, PUBLIC_URL, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { HANDSHAKE } from '../support/web-socket.ts'

const CLIENTS = 20
/** Promises more than it sends, so that only an abort ends it. */
const ENDLESS = `HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n${'x'.repeat(300_000)}`

async function stageOf(t: Test, more: string) {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(ENDLESS)
  })
  const stage = await createStage(t, {
    routes: () => `- { name: api, path: /api/*, upstream: ${upstream.url}${more} }`,
  })
  return { stage, upstream }
}

async function credentialsOf({ mint, client }: Stage, nth: number): Promise<readonly Header[]> {
  const token = await mint({ jti: String(nth) })
  const proof = await client.proof({ url: `${PUBLIC_URL}/api/a`, token })
  return [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', proof],
  ]
}

/** Each has a token of its own: one that is known is decided on at once. */
async function sendAndGo(stage: Stage, headers: readonly Header[]): Promise<void> {
  for (let nth = 0; nth < CLIENTS; nth++) {
    const connection = await openRaw(stage.port)
    const all = [...(await credentialsOf(stage, nth)), ...headers]
    connection.write(requestText(stage.port, { path: '/api/a', headers: all }))
    // Some before the request is there, some just after it is.
    if (nth % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
    connection.reset()
  }
}

const WAYS: readonly { name: string; more: string; headers: readonly Header[] }[] = [
  { name: 'a request', more: '', headers: [] },
  { name: 'a request that is observed', more: ', observe: true', headers: [] },
  { name: 'a WebSocket', more: ', websocket: true', headers: HANDSHAKE },
]

for (const { name, more, headers } of WAYS) {
  t.test(name, async (t) => {
    const { stage, upstream } = await stageOf(t, more)
    await sendAndGo(stage, headers)
    // What has come by then has been through all of it.
    const last = await openRaw(stage.port)
    last.write(
      requestText(stage.port, { path: '/api/a', headers: await credentialsOf(stage, CLIENTS) }),
    )
    await until(() => upstream.requests.length > 0)
    last.destroy()
    await until(() => upstream.connections.every((socket) => socket.destroyed))
    t.ok(upstream.connections.length > 0)
  })
}
