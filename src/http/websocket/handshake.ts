/** The opening handshake of a WebSocket, as far as the gateway has to do with it (RFC 6455 §4). */
import type { IncomingMessage } from 'node:http'
import { Denial } from '../../denial.ts'
import type { Candidate } from '../admission.ts'
import { linesOf, listOf, readFields } from '../fields.ts'
import type { OriginalRequest } from '../original-request.ts'

/** Whether a WebSocket is among what the client would switch to. */
export function asksForWebSocket({ rawHeaders }: IncomingMessage): boolean {
  const protocols = listOf(readFields(rawHeaders), 'upgrade')
  return protocols.some((protocol) => protocol.toLowerCase() === 'websocket')
}

/** Throws `header_invalid`, `websocket_refused` or `origin_refused`. */
export function requireWebSocket({ request, route, origin }: Candidate): void {
  requireHandshake(request)
  if (!route.websocket) throw new Denial('websocket_refused')
  const pages = linesOf(request.fields, 'origin')
  // A page of the gateway's own origin names it as well.
  if (!route.cors || pages.length === 0 || pages.join() === new URL(origin).origin) return
  // A browser asks no preflight for a WebSocket, and shows it to the page whatever the answer says.
  if (!('access-control-allow-origin' in route.cors.answer(request.fields))) {
    throw new Denial('origin_refused')
  }
}

/** RFC 6455 §4.2.1: what the upstream would make of anything else is not found out. */
function requireHandshake({ method, fields }: OriginalRequest): void {
  const invalid = (detail: string) => new Denial('header_invalid', { detail, headers: VERSION })
  if (method !== 'GET') throw invalid('WebSocket handshake: method')
  const versions = linesOf(fields, 'sec-websocket-version')
  if (versions.join() !== '13') throw invalid('Sec-WebSocket-Version')
  const keys = linesOf(fields, 'sec-websocket-key')
  if (!/^[A-Za-z\d+/]{22}==$/.test(keys.join())) throw invalid('Sec-WebSocket-Key')
}

/** §4.4: what is understood is said where it was asked for otherwise. */
const VERSION = { 'Sec-WebSocket-Version': '13' }
