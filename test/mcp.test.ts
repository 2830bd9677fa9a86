/** docs/mcp.md: the configuration it shows, in front of a server that speaks Streamable HTTP. */
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { parseConfig } from '../src/config/load.ts'
import { createStage, type Stage } from './support/stage.ts'

const document = readFileSync(join(import.meta.dirname, '../docs/mcp.md'), 'utf8')
const [, yaml = ''] = /^```yaml\n(.*?)^```$/ms.exec(document) ?? []
const [, routes = ''] = /^routes:\n(.*)/ms.exec(yaml) ?? []
const [, metadata = ''] = /```json\n(.*?)```/s.exec(document) ?? []

const HERE = 'https://api.example.com'
const SESSION = '1868a90c-c4cb-4f1d-a2d9-7ab0f7d9b6b7'
const EVENTS = { 'content-type': 'text/event-stream', 'mcp-session-id': SESSION }

/** Sends events when it is told to, and tells when a stream was left. */
async function startServer(t: Test) {
  const changes = new EventEmitter()
  const received: Readonly<Record<string, unknown>>[] = []
  const streams: ServerResponse[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, headers } = request
      received.push({ method, body, ...headers })
      if (method === 'DELETE') return response.writeHead(204).end()
      response.writeHead(200, EVENTS)
      // Where there is nothing to say yet, the header goes out alone.
      response.flushHeaders()
      response.on('close', () => changes.emit('left'))
      streams.push(response)
      return changes.emit('stream')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    left: () => once(changes, 'left'),
    send: (id: number, data: unknown) =>
      streams.at(-1)?.write(`id: ${id}\ndata: ${JSON.stringify(data)}\n\n`),
    end: () => streams.at(-1)?.end(),
  }
}

async function createMcpStage(t: Test) {
  const server = await startServer(t)
  const stage = await createStage(t, {
    settings: 'resource: { name: Example tools, documentation: "https://docs.example.com/tools" }',
    routes: () => routes.replaceAll(/^ {2}/gm, '').replace('http://127.0.0.1:3000', server.url),
  })
  return { server, stage, connect: (method: string, init?: Call) => call(stage, method, init) }
}

interface Call {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** A message with a proof of its own, as every one needs it. */
async function call({ port, client, mint }: Stage, method: string, init: Call = {}) {
  const token = await mint({ scope: 'mcp:tools' })
  const proof = await client.proof({ method, url: `${HERE}/mcp`, token })
  return fetch(`http://127.0.0.1:${port}/mcp`, {
    method,
    headers: { authorization: `DPoP ${token}`, dpop: proof, ...init.headers },
    ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
    ...(init.signal && { signal: init.signal }),
  })
}

/** The events of a stream, each as soon as it is there. */
function eventsOf({ body }: Response): () => Promise<string | undefined> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  return async () => (await reader?.read())?.value
}

t.test('the configuration loads, and its metadata is that of the page', async (t) => {
  const { server } = parseConfig(yaml, { file: 'docs/mcp.md', env: {} })
  t.equal(server.publicUrl, 'https://mcp.example.com')
  const { stage } = await createMcpStage(t)
  const answer = await stage.send({ path: '/mcp', method: 'POST', credentials: [] })
  t.equal(answer.status, 401)
  const shown = [...document.matchAll(/^ *WWW-Authenticate: (.*)$/gm)].map(([, line = '']) => line)
  t.strictSame(
    answer
      .values('www-authenticate')
      .map((line) => line.replace(/algs="ES256 [^"]+"/, 'algs="ES256 …"').replace(HERE, '…')),
    shown.map((line) => line.replace('https://mcp.example.com', '…')),
  )
  const path = '/.well-known/oauth-protected-resource/mcp'
  const published = JSON.parse((await stage.send({ path, credentials: [] })).body) as object
  t.strictSame(published, {
    ...(JSON.parse(metadata) as object),
    resource: `${HERE}/mcp`,
    authorization_servers: [stage.authority.issuer],
    dpop_signing_alg_values_supported: (published as Record<string, unknown>)[
      'dpop_signing_alg_values_supported'
    ],
  })
})

t.test('POST: events of an answer come through one by one', async (t) => {
  const { server, connect } = await createMcpStage(t)
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'add' } }
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-session-id': SESSION,
    'mcp-protocol-version': '2025-06-18',
  }
  const answer = await connect('POST', { body: message, headers })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('content-type'), 'text/event-stream')
  t.equal(answer.headers.get('mcp-session-id'), SESSION)
  t.match(server.received, [{ method: 'POST', body: JSON.stringify(message), ...headers }])
  t.match(server.received, [{ 'x-auth-subject': 'alice', authorization: undefined }])

  const next = eventsOf(answer)
  for (const id of [1, 2, 3]) {
    // The next one is not sent before this one has arrived.
    server.send(id, { progress: id })
    t.equal(await next(), `id: ${id}\ndata: {"progress":${id}}\n\n`)
  }
  server.end()
  t.equal(await next(), undefined)
})

t.test('GET: a stream begins before its first event, and is taken up again', async (t) => {
  const { server, connect } = await createMcpStage(t)
  const leaving = new AbortController()
  const answer = await connect('GET', {
    headers: { accept: 'text/event-stream', 'mcp-session-id': SESSION },
    signal: leaving.signal,
  })
  t.equal(answer.status, 200)
  const next = eventsOf(answer)
  server.send(1, { method: 'notifications/tools/list_changed' })
  t.match(await next(), /^id: 1\n/)

  const left = server.left()
  leaving.abort()
  await left
  await t.rejects(next(), { name: 'AbortError' })

  const again = await connect('GET', { headers: { 'last-event-id': '1' } })
  t.equal(again.status, 200)
  t.match(server.received.at(-1), { method: 'GET', 'last-event-id': '1' })
  server.end()
})

t.test('DELETE: the end of a session', async (t) => {
  const { server, connect } = await createMcpStage(t)
  const answer = await connect('DELETE', { headers: { 'mcp-session-id': SESSION } })
  t.equal(answer.status, 204)
  t.match(server.received, [{ method: 'DELETE', 'mcp-session-id': SESSION }])
  t.equal((await connect('PUT')).status, 405)
})

t.test('a page may do all of it', async (t) => {
  const { stage } = await createMcpStage(t)
  const { status, values } = await stage.send({
    path: '/mcp',
    method: 'OPTIONS',
    credentials: [],
    headers: [
      ['Origin', 'https://inspector.example'],
      ['Access-Control-Request-Method', 'DELETE'],
    ],
  })
  t.equal(status, 204)
  t.match(values('access-control-allow-headers'), [/mcp-protocol-version.*mcp-session-id/i])
  t.match(values('access-control-allow-methods'), ['DELETE'])
})

t.test('a session id is no credential', async (t) => {
  const { stage, server } = await createMcpStage(t)
  const headers = [['Mcp-Session-Id', SESSION]] as const
  const answer = await stage.send({ path: '/mcp', method: 'POST', credentials: headers })
  t.equal(answer.code, 'credentials_missing')
  t.strictSame(server.received, [])
})
