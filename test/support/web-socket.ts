/** WebSockets: an upstream that speaks them, and a client with a proof. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer, type RawData } from 'ws'
import type { Header } from './raw-http.ts'
import { PUBLIC_URL, type Stage, type StageOptions } from './stage.ts'
import type { Owner } from './owner.ts'

export interface EchoUpstream {
  readonly url: string
  readonly handshakes: readonly { readonly url: string; readonly headers: IncomingHttpHeaders }[]
  /** Codes that WebSockets were closed with. */
  readonly closes: readonly number[]
  readonly clients: ReadonlySet<WebSocket>
}

/** Says every message back. */
export async function startEchoUpstream(t: Owner): Promise<EchoUpstream> {
  const server = createServer((_, response) => {
    response.writeHead(426).end()
  })
  const webSockets = new WebSocketServer({ server })
  const handshakes: { url: string; headers: IncomingHttpHeaders }[] = []
  const closes: number[] = []
  webSockets.on('connection', (webSocket, { url, headers }) => {
    handshakes.push({ url: String(url), headers })
    webSocket.on('message', (data, isBinary) => {
      webSocket.send(data, { binary: isBinary })
    })
    webSocket.on('close', (code) => closes.push(code)).on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const client of webSockets.clients) client.terminate()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, handshakes, closes, clients: webSockets.clients }
}

/** One route `ws` for everything below `/ws/`. */
export function webSocketRoute(url: string, more = ''): NonNullable<StageOptions['routes']> {
  return () => `- { name: ws, path: /ws/*, websocket: true, upstream: ${url}${more} }`
}

export const HANDSHAKE: readonly Header[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]

export interface Dialled {
  readonly webSocket: WebSocket
  readonly nextMessage: () => Promise<string>
  /** The code it was closed with. */
  readonly closed: Promise<number>
}

/** Opens one with a valid proof; what it is refused with is thrown. */
export async function openWebSocket(
  { port, mint, client }: Pick<Stage, 'port' | 'mint' | 'client'>,
  { path = '/ws/a', claims = {} }: { path?: string; claims?: Record<string, unknown> } = {},
): Promise<Dialled> {
  const token = await mint(claims)
  const proof = await client.proof({
    method: 'GET',
    url: PUBLIC_URL + path.replace(/\?.*$/, ''),
    token,
  })
  const headers = { Authorization: `DPoP ${token}`, DPoP: proof }
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  const closed = new Promise<number>((resolve) => webSocket.once('close', resolve))
  const messages: string[] = []
  const waiting: ((message: string) => void)[] = []
  webSocket.on('message', (data: RawData) => {
    const text = (data as Buffer).toString()
    const take = waiting.shift()
    if (take) take(text)
    else messages.push(text)
  })
  await new Promise<void>((resolve, reject) =>
    webSocket.once('open', resolve).once('error', reject),
  )
  webSocket.on('error', () => undefined)
  return {
    webSocket,
    closed,
    nextMessage: () =>
      new Promise((resolve) => {
        const message = messages.shift()
        if (message === undefined) waiting.push(resolve)
        else resolve(message)
      }),
  }
}
