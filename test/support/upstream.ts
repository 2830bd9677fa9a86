/** An API behind the gateway that shows what reached it, and can be told to misbehave. */
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Owner } from './owner.ts'

export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  /** The values of all header lines of this name, whatever its case. */
  readonly values: (name: string) => readonly string[]
  readonly body: string
  /** Whether the other side went away before the answer was complete. */
  readonly aborted: boolean
}

export interface Upstream {
  readonly port: number
  readonly url: string
  readonly server: Server
  /** What has arrived, oldest first. A request is added once its body is complete. */
  readonly requests: readonly ReceivedRequest[]
  /** Answers to come behave like this. */
  readonly behave: (name: BehaviourName) => void
  /** Resolves once `count` answers in all were given up by the other side. */
  readonly aborted: (count?: number) => Promise<void>
}

type Behaviour = (response: ServerResponse, received: ReceivedRequest) => void

export type BehaviourName = keyof typeof BEHAVIOURS | 'early413'

const BEHAVIOURS = {
  /** 200 with what was received, as JSON. */
  echo(response, { method, url, rawHeaders, body }) {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ method, url, rawHeaders, body }))
  },
  /** Never answers. */
  hang() {
    // Nothing: the connection stays open until the other side or the teardown closes it.
  },
  /** Resets the connection instead of answering. */
  reset(response) {
    response.socket?.resetAndDestroy()
  },
  /** Promises 1000 bytes, sends 5 and closes. */
  truncated(response) {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('first', () => response.socket?.destroy())
  },
  /** 64 KiB over and over, as fast as they are taken, without end. */
  huge(response) {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const pump = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', pump)
    pump()
  },
  /** Headers at once, then one byte every 100 ms until ten have been sent. */
  slow(response) {
    let left = 10
    response.writeHead(200, { 'content-length': String(left) }).flushHeaders()
    const timer = setInterval(() => {
      left -= 1
      if (left > 0) response.write('x')
      else response.end('x')
    }, 100)
    response.on('close', () => {
      clearInterval(timer)
    })
  },
} as const satisfies Record<string, Behaviour>

export async function startUpstream(t: Owner, name: BehaviourName = 'echo'): Promise<Upstream> {
  let behaviour = name
  let abortedCount = 0
  const changes = new EventEmitter()
  const requests: ReceivedRequest[] = []

  const server = createServer((request, response) => {
    // Either side may vanish at any time: that is what some of the tests are about.
    response.on('error', () => undefined)
    response.on('close', () => {
      if (response.writableFinished) return
      abortedCount += 1
      changes.emit('aborted')
    })
    void answer(request, response, behaviour, requests)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    server,
    requests,
    behave(next) {
      behaviour = next
    },
    async aborted(count = 1) {
      while (abortedCount < count) await once(changes, 'aborted')
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  behaviour: BehaviourName,
  requests: ReceivedRequest[],
): Promise<void> {
  if (behaviour === 'early413') {
    // Answers before the body has arrived, and reads no more of it.
    response.writeHead(413, { connection: 'close' }).end('too large')
    return
  }
  try {
    const received = describe(request, response, await buffer(request))
    requests.push(received)
    BEHAVIOURS[behaviour](response, received)
  } catch {
    // The request was cut off before its end: there is nobody to answer.
  }
}

function describe(request: IncomingMessage, response: ServerResponse, body: Buffer) {
  const { method = '', url = '', rawHeaders } = request
  return {
    method,
    url,
    rawHeaders,
    values: (name: string) =>
      rawHeaders.filter(
        (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name.toLowerCase(),
      ),
    body: body.toString(),
    get aborted() {
      return response.closed && !response.writableFinished
    },
  }
}
