/**
 * What both ways into the proxy share: a request is read, its route found and the gate asked. What
 * becomes of it then is up to the way it came in, as a request or as an upgrade.
 */
import { Denial } from '../denial.ts'
import { attempt, type Eventual } from '../eventual.ts'
import type { GateRequest, Grant } from '../gate.ts'
import type { Scheme } from './challenge.ts'
import { preflightedMethod } from './cors.ts'
import { linesOf } from './fields.ts'
import type { Message, Response } from './message.ts'
import type { PublicOrigin } from './origin.ts'
import { readOriginalRequest, type OriginalRequest, type RequestRules } from './original-request.ts'
import type { Recorder, RequestRecord } from './record.ts'
import { renderFault, renderRefusal, type RenderedRefusal } from './refuse.ts'
import { METADATA_ROUTE, type FindMetadata } from './resource-metadata.ts'
import type { Route } from './route.ts'
import type { Routes } from './routes.ts'
import { send } from './send.ts'
import { resultAtTurnEnd, createTurnEnd } from './turn-end.ts'

export interface AdmissionOptions {
  readonly routes: Routes
  readonly publicOrigin: PublicOrigin
  readonly findMetadata: FindMetadata
  readonly rules: RequestRules
  /** Largest request body, in bytes; Infinity for no limit. */
  readonly maxBodyBytes: number
  readonly recorder: Recorder
  /** Whether new requests are refused, as more is under way than gets done. */
  readonly isOverloaded: () => boolean
}

/** What is asked of a request. */
export interface Candidate {
  readonly request: OriginalRequest
  readonly route: Route
  /** The public URL it was made to. */
  readonly origin: string
}

/** An answer of the gateway's own, or what the gate is to be asked about. */
type Opened = { readonly answer: RenderedRefusal } | Candidate

/** A request, or a request to upgrade, and where its answer goes. */
export interface Call {
  readonly message: Message
  readonly response: Response
  readonly record: RequestRecord
}

export interface Admission {
  /**
   * Has what is admitted passed on, and answers what is not, or could not be. `require` throws where
   * more must hold, before a proof is used up. What is found out is noted in the record. Never
   * rejects.
   */
  readonly admit: (
    call: Call,
    pass: (candidate: Candidate) => Promise<void>,
    require?: (candidate: Candidate) => void,
  ) => Promise<void>
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { routes, publicOrigin, findMetadata, rules, recorder, maxBodyBytes, isOverloaded } =
    options
  const decideAtTurnEnd = createTurnEnd()
  const refuse = (error: unknown, route: Route | undefined, record: RequestRecord) => {
    if (error instanceof Denial) record.denial = error
    else recorder.fault(error, record.requestId)
    return refusalOf(error, route, record)
  }

  /**
   * Reads the request and finds its route. Nothing is waited for: what is malformed has to be
   * answered before Node takes up what is pipelined behind it.
   */
  function open({ message, record }: Call, require?: (candidate: Candidate) => void): Opened {
    let route: Route | undefined
    try {
      const request = readOriginalRequest(message, rules)
      record.request = request
      if (isOverloaded()) throw new Denial('overloaded', { detail: 'the event loop is late' })
      const origin = (record.publicUrl = publicOrigin(request))
      const { method, path, fields } = request
      const metadata = findMetadata(origin, path)
      if (metadata) {
        record.route = METADATA_ROUTE
        return { answer: metadata(method) }
      }
      const preflighted = preflightedMethod(method, fields)
      route = routes.find(method, hostOf(request), path, preflighted)
      record.route = route.name
      if (route.cors && preflighted !== undefined) {
        const headers = route.cors.preflight(fields, preflighted)
        return { answer: { status: 204, headers, body: '', close: false } }
      }
      requireBodyWithin(maxBodyBytes, request)
      const candidate = { request, route, origin }
      require?.(candidate)
      route.upstreams.requireRoom()
      return candidate
    } catch (error) {
      return { answer: refuse(error, route, record) }
    }
  }

  return {
    async admit(call, pass, require) {
      const { message, response, record } = call
      const opened = open(call, require)
      if ('answer' in opened) {
        send(opened.answer, record, message, response)
        return
      }
      const { request, route, origin } = opened
      try {
        const asked = gateRequest(request, origin)
        record.grant = await resultAtTurnEnd(decideAtTurnEnd, () => askGate(asked, route, record))
        record.decidedAt = performance.now()
        await pass(opened)
      } catch (error) {
        send(refuse(error, route, record), record, message, response)
      }
    },
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
function askGate(
  request: GateRequest,
  { gate, observe }: Route,
  record: RequestRecord,
): Eventual<Grant | undefined> {
  if (!gate || !observe) return gate?.admit(request)
  return attempt<Grant | undefined>(
    () => gate.admit(request),
    (error) => {
      if (!(error instanceof Denial)) throw error
      record.observed = error
      return undefined
    },
  )
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

function hostOf({ authority }: OriginalRequest): string {
  const colon = authority.lastIndexOf(':')
  return colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority
}
