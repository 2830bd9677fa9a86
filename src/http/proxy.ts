/** The way in as a reverse proxy: read the request, find its route, ask the gate, forward. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Denial } from '../denial.ts'
import type { GateRequest, Grant } from '../gate.ts'
import { answerRules } from './answer-rules.ts'
import type { Scheme } from './challenge.ts'
import { closeAfter } from './closing.ts'
import { preflightedMethod } from './cors.ts'
import { linesOf } from './fields.ts'
import { forward } from './forward.ts'
import type { PublicOrigin } from './origin.ts'
import { readOriginalRequest, type OriginalRequest, type RequestRules } from './original-request.ts'
import { recordWhenDone, type Recorder, type RequestRecord } from './record.ts'
import { renderFault, renderRefusal, type RenderedRefusal } from './refuse.ts'
import { METADATA_ROUTE, type FindMetadata } from './resource-metadata.ts'
import type { Route } from './route.ts'
import type { Routes } from './routes.ts'
import { upstreamFields, upstreamPath, type IdentityNames } from './upstream-request.ts'

export interface ProxyOptions {
  readonly routes: Routes
  readonly publicOrigin: PublicOrigin
  readonly findMetadata: FindMetadata
  readonly rules: RequestRules
  readonly identityNames: IdentityNames
  /** Largest request body, in bytes; Infinity for no limit. */
  readonly maxBodyBytes: number
  readonly recorder: Recorder
}

/** Answers a request. It never rejects. */
export type Proxy = (message: IncomingMessage, response: ServerResponse) => Promise<void>

export function createProxy(options: ProxyOptions): Proxy {
  const { routes, publicOrigin, findMetadata, rules, recorder, maxBodyBytes } = options
  return async (message, response) => {
    const record: RequestRecord = { requestId: randomUUID() }
    recordWhenDone(record, message, response, recorder)
    let route: Route | undefined
    try {
      const request = readOriginalRequest(message, rules)
      record.request = request
      const origin = (record.publicUrl = publicOrigin(request))
      const { method, path, fields } = request
      const metadata = findMetadata(origin, path)
      if (metadata) {
        record.route = METADATA_ROUTE
        send(metadata(method), record, message, response)
        return
      }
      const preflighted = preflightedMethod(method, fields)
      route = routes.find(method, hostOf(request), path, preflighted)
      record.route = route.name
      if (route.cors && preflighted !== undefined) {
        const headers = route.cors.preflight(fields, preflighted)
        send({ status: 204, headers, body: '', close: false }, record, message, response)
        return
      }
      requireBodyWithin(maxBodyBytes, request)
      route.upstreams.requireRoom()
      record.grant = await decide(gateRequest(request, origin), route, record)
      record.decidedAt = performance.now()
      await pass(request, route, record, message, response, options)
    } catch (error) {
      if (error instanceof Denial) record.denial = error
      else recorder.fault(error, record.requestId)
      send(refusalOf(error, route, record), record, message, response)
    }
  }
}

/** As a page may read it too, where its route lets it. */
function refusalOf(
  error: unknown,
  route: Route | undefined,
  { request, publicUrl, requestId }: RequestRecord,
): RenderedRefusal {
  const refusal =
    error instanceof Denial
      ? renderRefusal(error, requestId, route?.refusals, { scheme: schemeOf(request), publicUrl })
      : renderFault(requestId)
  const cors = request && route?.cors?.answer(request.fields)
  return { ...refusal, headers: { ...refusal.headers, ...cors } }
}

/** What the gate says; on a route that is only observed a refusal is noted and nothing more. */
async function decide(
  request: GateRequest,
  { gate, observe }: Route,
  record: RequestRecord,
): Promise<Grant | undefined> {
  try {
    return await gate?.admit(request)
  } catch (error) {
    if (!observe || !(error instanceof Denial)) throw error
    record.observed = error
    return undefined
  }
}

/** The one the client has used, whatever came of it. */
function schemeOf(request: OriginalRequest | undefined): Scheme {
  const [authorization = ''] = request ? linesOf(request.fields, 'authorization') : []
  return /^bearer\b/i.test(authorization) ? 'bearer' : 'dpop'
}

/** A body without a length is counted as it comes. */
function requireBodyWithin(maxBodyBytes: number, { contentLength = 0 }: OriginalRequest): void {
  if (contentLength > maxBodyBytes) throw new Denial('body_too_large')
}

function gateRequest(
  { method, path, query, fields }: OriginalRequest,
  origin: string,
): GateRequest {
  return {
    method,
    target: origin + path,
    query,
    authorization: linesOf(fields, 'authorization'),
    proofs: linesOf(fields, 'dpop'),
  }
}

async function pass(
  request: OriginalRequest,
  route: Route,
  record: RequestRecord,
  message: IncomingMessage,
  response: ServerResponse,
  { identityNames, maxBodyBytes }: ProxyOptions,
): Promise<void> {
  const { grant, requestId } = record
  // RFC 9110 §10.1.1: the client holds back its body until the request is authorized.
  if (request.expectsContinue) response.writeContinue()
  const { method, hasBody } = request
  const { responseTimeoutMs, idleTimeoutMs } = route
  const upstreamRequest = {
    method,
    path: (basePath: string) => upstreamPath(request, route, basePath),
    fields: upstreamFields(request, route, grant, { identityNames, requestId }),
    hasBody,
    maxBodyBytes,
    responseTimeoutMs,
    idleTimeoutMs,
    answer: answerRules(route, record, request),
  }
  await forward(route.upstreams, upstreamRequest, message, response)
}

/** The body of the request is not read: the connection cannot be used for another one. */
function send(
  { status, headers, body, close }: RenderedRefusal,
  { request }: RequestRecord,
  message: IncomingMessage,
  response: ServerResponse,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const isBodyUnread = request?.hasBody !== false && !message.complete
  // Node closes a connection on which 100 Continue was asked for and not sent.
  const isRefusedToContinue = request?.expectsContinue === true
  if (close || isBodyUnread || isRefusedToContinue) closeAfter(message, response)
  response.writeHead(status, { ...headers } as OutgoingHttpHeaders).end(body)
}

function hostOf({ authority }: OriginalRequest): string {
  return authority.replace(/:\d+$/, '')
}
