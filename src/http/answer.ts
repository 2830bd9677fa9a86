/**
 * The answer of an upstream on its way to the client: as it comes, no faster than the client takes
 * it, and without what belongs to the connection to the upstream.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { withCors, type CorsFields } from './cors.ts'
import { HOP_BY_HOP, nominated } from './hop-by-hop.ts'
import type { Response } from './message.ts'
import { createTurnEnd } from './turn-end.ts'

export interface Answer {
  /** `source` is told to pause and to go on. The names of `headers` are in lower case. */
  readonly begin: (source: Source, status: number, headers: OutgoingHttpHeaders) => void
  readonly write: (chunk: Buffer) => void
  readonly end: () => void
  /** Waits for the client no longer. What is held of an answer that has ended is still sent. */
  readonly release: () => void
}

/** What the gateway has to say about the answer. */
export interface AnswerRules {
  /** Set in place of the upstream's own; names in lower case. */
  readonly fields: OutgoingHttpHeaders
  /** Whether a nonce of the upstream is meant for the client. */
  readonly passesNonce: boolean
  /** In place of all the upstream says to pages of other origins. Left out: what it says stands. */
  readonly cors: CorsFields | undefined
}

export interface Source {
  pause(): void
  resume(): void
}

const sendAtTurnEnd = createTurnEnd()

/**
 * What comes in one turn of the event loop is sent at its end, a short answer in one piece. A client
 * that takes nothing for `idleTimeoutMs` is cut off: it holds a connection upstream.
 */
export function createAnswer(
  response: Response,
  idleTimeoutMs: number,
  rules: AnswerRules,
): Answer {
  const flow = createFlow(response, idleTimeoutMs)
  /** What has come since the header; undefined once that is sent. */
  let held: Buffer[] | undefined = []
  let isEnded = false

  function sendHeld(): void {
    const chunks = held ?? []
    held = undefined
    if (response.destroyed || response.writableEnded) return
    if (isEnded) response.end(chunks.length > 1 ? Buffer.concat(chunks) : chunks[0])
    // Node keeps the header back for the body, which may be long in coming.
    else if (chunks.length === 0) response.flushHeaders()
    else for (const chunk of chunks) flow.send(chunk)
  }

  return {
    begin(source, status, headers) {
      flow.source = source
      response.writeHead(status, answerFields(status, headers, rules))
      // RFC 9112 §6.3: over with its header. undici waits for a body where there is a length.
      if (status === 304) response.end()
      sendAtTurnEnd(sendHeld)
    },
    write(chunk) {
      if (held) held.push(chunk)
      else flow.send(chunk)
    },
    end() {
      isEnded = true
      if (!held) response.end()
    },
    release: flow.release,
  }
}

interface Flow {
  source?: Source
  readonly send: (chunk: Buffer) => void
  readonly release: () => void
}

/** No faster than the client takes it. */
function createFlow(response: Response, idleTimeoutMs: number): Flow {
  let stalled: NodeJS.Timeout | undefined
  let isReleased = false
  const resume = () => {
    clearTimeout(stalled)
    stalled = undefined
    flow.source?.resume()
  }
  const flow: Flow = {
    send(chunk) {
      if (response.write(chunk) || isReleased) return
      flow.source?.pause()
      if (stalled === undefined) response.once('drain', resume)
      clearTimeout(stalled)
      stalled = setTimeout(() => response.req.socket.destroy(), idleTimeoutMs)
    },
    release() {
      isReleased = true
      if (stalled === undefined) return
      clearTimeout(stalled)
      response.off('drain', resume)
    },
  }
  return flow
}

/** The header fields of the answer as the client gets them. */
export function answerFields(
  status: number,
  headers: OutgoingHttpHeaders,
  rules: AnswerRules,
): OutgoingHttpHeaders {
  const fields = passedOn(headers, rules)
  // RFC 9110 §8.6: there is nothing to be that long, and a client might wait for it.
  if (status === 204) delete fields['content-length']
  return fields
}

function passedOn(
  headers: OutgoingHttpHeaders,
  { fields, passesNonce, cors }: AnswerRules,
): OutgoingHttpHeaders {
  const { connection } = headers
  const hopByHop = nominated(connection === undefined ? [] : [String(connection)])
  const kept: OutgoingHttpHeaders = {}
  for (const name in headers) {
    // A nonce of the upstream's own would be taken for one of this gateway (RFC 9449 §8).
    if (name === 'dpop-nonce' && !passesNonce) continue
    if (!HOP_BY_HOP.has(name) && !hopByHop.has(name)) kept[name] = headers[name]
  }
  return Object.assign(cors ? withCors(kept, cors) : kept, fields)
}
