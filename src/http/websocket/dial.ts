/** One attempt to open a WebSocket at one upstream. The one place where http-proxy is used. */
import httpProxy from 'http-proxy'
import { IncomingMessage, type ClientRequest, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Denial } from '../../denial.ts'
import { createAnswer } from '../answer.ts'
import type { UpstreamRequest } from '../exchange.ts'
import { translateUpstreamError } from '../upstream-error.ts'
import type { Upstream } from '../upstreams.ts'
import type { FarEnd } from './far-end.ts'

/** Who calls. */
export interface Caller {
  readonly response: ServerResponse
  readonly far: FarEnd
  /** Called with the upstream's answer of status 101, before a byte goes through. */
  readonly onSwitch: (answer: IncomingMessage, upstream: Socket) => void
}

/** Why there is no answer. */
export interface DialFailure {
  readonly denial: Denial
  /** Whether the upstream may have seen the request. */
  readonly wasSent: boolean
}

type DialRequest = Pick<
  UpstreamRequest,
  'path' | 'fields' | 'responseTimeoutMs' | 'idleTimeoutMs' | 'answer'
>

/**
 * Resolves without a failure when the WebSocket is open, another answer has been passed on, or the
 * client is gone. Never rejects.
 */
export function dial(
  upstream: Upstream,
  request: DialRequest,
  { response, far, onSwitch }: Caller,
): Promise<DialFailure | undefined> {
  // Gone while it was decided on: nobody would be told of it again.
  if (response.destroyed) return Promise.resolve(undefined)
  const { responseTimeoutMs, idleTimeoutMs } = request
  const { connectTimeoutMs } = upstream.backend
  return new Promise((resolve) => {
    let outgoing: ClientRequest | undefined
    let wasSent = false
    let isOver = false
    const end = (failure?: DialFailure) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      response.off('close', abort)
      resolve(failure)
    }
    const fail = (error: unknown) => {
      end({ denial: denialOf(error), wasSent })
      outgoing?.destroy()
    }
    const abort = () => {
      end()
      outgoing?.destroy()
    }
    const limit = (milliseconds: number) =>
      setTimeout(fail, milliseconds, new Denial('upstream_timeout'))
    let timer = limit(connectTimeoutMs)
    response.once('close', abort)
    carry(upstream, request, far, {
      onRequest: (made) => (outgoing = made),
      onConnect() {
        wasSent = true
        clearTimeout(timer)
        timer = limit(responseTimeoutMs)
      },
      onUpgrade(answer, socket) {
        if (isOver || answer.headers.upgrade?.toLowerCase() !== 'websocket') {
          socket.destroy()
          fail(new Denial('upstream_invalid', { detail: 'switched to another protocol' }))
          return
        }
        end()
        onSwitch(answer, socket)
      },
      onAnswer(answer) {
        if (answer.statusCode === 101) {
          fail(new Denial('upstream_invalid', { detail: '101 without Upgrade' }))
          return
        }
        clearTimeout(timer)
        timer = limit(idleTimeoutMs)
        passOn(answer, response, request, () => timer.refresh()).then(() => {
          end()
        }, fail)
      },
      onError: fail,
    })
  })
}

interface Events {
  readonly onRequest: (request: ClientRequest) => void
  readonly onConnect: () => void
  readonly onUpgrade: (answer: IncomingMessage, upstream: Socket) => void
  readonly onAnswer: (answer: IncomingMessage) => void
  readonly onError: (error: unknown) => void
}

const NOTHING = Buffer.alloc(0)

/** What comes after the handshake http-proxy joins by itself. */
function carry(
  { backend, basePath }: Upstream,
  { path, fields }: DialRequest,
  { stream }: FarEnd,
  events: Events,
): void {
  const carrier = httpProxy.createProxyServer()
  carrier.once('proxyReqWs', (outgoing: ClientRequest) => {
    events.onRequest(outgoing)
    // http-proxy merges the slashes of a path; what was authorized is what is asked for.
    outgoing.path = path(basePath)
    outgoing.once('socket', (socket) => {
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', events.onConnect)
    })
    outgoing.once('upgrade', events.onUpgrade)
    // In place of http-proxy, which would write it as it is framed on the connection to the upstream.
    process.nextTick(() =>
      outgoing.removeAllListeners('response').once('response', events.onAnswer),
    )
  })
  const { protocol, host, hostname, port } = new URL(backend.origin)
  const { ca, serverName } = backend.tls
  const target = { protocol, host, hostname: hostname.replace(/^\[|\]$/g, ''), port }
  const options = {
    target,
    toProxy: true,
    ...(ca !== undefined && { ca }),
    ssl: serverName === undefined ? {} : { servername: serverName },
  }
  const message = Object.assign(new IncomingMessage(new Socket()), {
    method: 'GET',
    url: '/',
    headers: handshakeFields(fields),
  })
  try {
    carrier.ws(message, stream, NOTHING, options, events.onError)
  } catch (error) {
    // Raised before anything is sent, for what the client put into its request.
    events.onError(new Denial('header_invalid', { cause: error }))
  }
}

function handshakeFields(fields: readonly string[]): Record<string, string | string[]> {
  // A client may name a field as what every object has.
  const headers = Object.create(null) as Record<string, string[]>
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? ''
    ;(headers[name] ??= []).push(fields[at + 1] ?? '')
  }
  return { ...headers, connection: 'Upgrade', upgrade: 'websocket' }
}

/** An answer other than 101 is one like any other. */
function passOn(
  message: IncomingMessage,
  response: ServerResponse,
  { idleTimeoutMs, answer: rules }: DialRequest,
  onPiece: () => void,
): Promise<void> {
  const answer = createAnswer(response, idleTimeoutMs, rules)
  return new Promise<void>((resolve, reject) => {
    // Rejects what Node would not send.
    answer.begin(message, message.statusCode ?? 0, message.headers)
    message
      .on('data', (chunk: Buffer) => {
        onPiece()
        answer.write(chunk)
      })
      .once('end', () => {
        answer.end()
        resolve()
      })
      .once('error', reject)
  }).finally(answer.release)
}

/** Node's parser names its errors otherwise than undici. */
function denialOf(error: unknown): Denial {
  const isParserError =
    error instanceof Error && 'code' in error && String(error.code).startsWith('HPE_')
  if (isParserError) return new Denial('upstream_invalid', { detail: String(error.code) })
  return translateUpstreamError(error).denial
}
