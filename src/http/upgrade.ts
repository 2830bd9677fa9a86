/** The way in for WebSockets: a handshake is decided on like any request (RFC 6455 §4.2). */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createAdmission, type Candidate } from './admission.ts'
import { answerFields, type AnswerRules } from './answer.ts'
import { answerRules } from './answer-rules.ts'
import type { ProxyOptions } from './proxy.ts'
import { recordWhenDone, type RequestRecord } from './record.ts'
import { takeOver, type Taken } from './take-over.ts'
import { upstreamFields, upstreamPath } from './upstream-request.ts'
import { closeOnExpiry } from './websocket/expiry.ts'
import { dial } from './websocket/dial.ts'
import { createFarEnd } from './websocket/far-end.ts'
import { requireWebSocket } from './websocket/handshake.ts'
import { openTunnel } from './websocket/tunnel.ts'
import type { WebSockets } from './websocket/web-sockets.ts'

/**
 * Answers a handshake, of which `head` came behind it already. Resolves when it is through: the
 * WebSocket is open then, or the connection about to end. It never rejects.
 */
export type Upgrade = (message: IncomingMessage, socket: Socket, head: Buffer) => Promise<void>

export interface UpgradeOptions extends ProxyOptions {
  readonly webSockets: WebSockets
}

export function createUpgrade(options: UpgradeOptions): Upgrade {
  const admission = createAdmission(options)
  return async (message, socket, head) => {
    const taken = takeOver(message, socket, head)
    const { response } = taken
    const record: RequestRecord = { requestId: randomUUID() }
    recordWhenDone(record, message, response, options.recorder)
    await admission.admit(
      { message, response, record },
      (candidate) => connect(candidate, record, taken, options),
      requireWebSocket,
    )
  }
}

/** Rejects with a Denial (`upstream_*`, `overloaded`). */
async function connect(
  { request, route }: Candidate,
  record: RequestRecord,
  { socket, response, release }: Taken,
  { identityNames, webSockets }: UpgradeOptions,
): Promise<void> {
  const { upstreams, responseTimeoutMs, idleTimeoutMs } = route
  const { grant, requestId } = record
  const handshake = {
    path: (basePath: string) => upstreamPath(request, route, basePath),
    fields: upstreamFields(request, route, grant, { identityNames, requestId }),
    responseTimeoutMs,
    idleTimeoutMs,
    answer: answerRules(route, record, request),
  }
  for (let attempt = 1; ; attempt++) {
    const upstream = upstreams.next()
    const far = createFarEnd(socket)
    const failure = await dial(upstream, handshake, {
      response,
      far,
      onSwitch(answer, upstreamSocket) {
        switchProtocols(response, handshake.answer, answer)
        release()
        const tunnel = openTunnel({ client: socket, far, upstream: upstreamSocket }, idleTimeoutMs)
        webSockets.add(tunnel)
        closeOnExpiry(tunnel, grant)
      },
    })
    if (!failure) return
    if (!failure.wasSent) upstream.backend.markDown()
    if (failure.wasSent || attempt >= upstreams.size) throw failure.denial
  }
}

/** The header of the answer; what follows is not HTTP any more. */
function switchProtocols(
  response: ServerResponse,
  rules: AnswerRules,
  { headers }: IncomingMessage,
): void {
  // RFC 9110 §8.6: there is no content that could have a length.
  const fields = Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== 'content-length'),
  )
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket' }
  const switched = { ...rules, fields: { ...rules.fields, ...upgrade } }
  response.writeHead(101, answerFields(101, fields, switched))
  response.flushHeaders()
}
