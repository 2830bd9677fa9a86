/**
 * The request as the client made it, read strictly: whatever two readers could understand
 * differently is refused before anything is decided (RFC 9112 §3 and §6, RFC 9110 §7.1 and §7.6).
 */
import { Denial } from '../denial.ts'
import { canonicalAuthority, canonicalPath } from '../dpop/target.ts'
import { linesOf, listOf, readFields, type Fields } from './fields.ts'
import { clientAddress, readForwarded } from './forwarded.ts'
import { readHttp2Head } from './http2-head.ts'
import type { Message } from './message.ts'
import { plainAddress, type IsTrusted } from './trust.ts'

export interface OriginalRequest {
  readonly method: string
  /** Canonical: the one path that is matched, compared with `htu` and forwarded. */
  readonly path: string
  /** As sent, without the question mark; empty where there is none. */
  readonly query: string
  /** Scheme and authority the client used, as far as this gateway can tell. */
  readonly scheme: string
  readonly authority: string
  readonly fields: Fields
  readonly hasBody: boolean
  /** `Content-Length` in bytes, where it was sent. */
  readonly contentLength: number | undefined
  /** Whether the client waits for `100 Continue` before it sends its body. */
  readonly expectsContinue: boolean
  /** Address of the peer of the connection. */
  readonly peer: string
  /** Address of the client, behind the trusted proxies. */
  readonly client: string
  readonly isPeerTrusted: boolean
}

export interface RequestRules {
  readonly isTrusted: IsTrusted
  /** Most header fields a request may have. */
  readonly maxHeaderCount: number
}

const REQUEST_TARGET =
  /^(?:(https?):\/\/([^/?#]*))?(\/[^?#]*|(?=\?|$))(?:\?([\x21\x22\x24-\x7e]*))?$/i

/**
 * Throws `version_unsupported`, `headers_too_large`, `header_invalid`, `expectation_unknown`,
 * `host_invalid` or `path_invalid`.
 */
export function readOriginalRequest(
  message: Message,
  { isTrusted, maxHeaderCount }: RequestRules,
): OriginalRequest {
  const lines = readHead(message)
  if (lines.length > maxHeaderCount * 2) throw new Denial('headers_too_large')
  const fields = readFields(lines)
  const { hasBody, contentLength } = readFraming(fields)
  const peer = plainAddress(message.socket.remoteAddress ?? '')
  const isPeerTrusted = isTrusted(peer)
  const forwarded = isPeerTrusted ? readForwarded(fields) : {}
  const scheme = forwarded.scheme ?? (message.socket.encrypted ? 'https' : 'http')

  const [, , targetAuthority, path = '', query = ''] = requireTarget(message.url ?? '')
  const host = requireHost(fields, scheme)
  // RFC 9112 §3.2.2: an absolute target names the host a second time; two hosts are none.
  if (targetAuthority !== undefined && canonicalAuthority(targetAuthority, scheme) !== host) {
    throw new Denial('host_invalid', { detail: 'Host differs from the request target' })
  }
  const canonical = canonicalPath(path === '' ? '/' : path)
  // A server that resolves `//x/a` as a reference takes x for a host (RFC 3986 §4.2).
  if (canonical === undefined || canonical.startsWith('//')) throw new Denial('path_invalid')
  return {
    method: message.method ?? '',
    path: canonical,
    query,
    scheme,
    authority: forwarded.authority ?? host,
    fields,
    hasBody,
    contentLength,
    expectsContinue: expectsContinue(fields),
    peer,
    client: isPeerTrusted ? clientAddress(fields, peer, isTrusted) : peer,
    isPeerTrusted,
  }
}

/** The field lines, in the terms of HTTP/1.1. */
function readHead(message: Message): readonly string[] {
  const { httpVersionMajor, httpVersionMinor, rawHeaders } = message
  if (httpVersionMajor === 1 && httpVersionMinor === 1) return rawHeaders
  // In HTTP/1.1 a client can claim any version.
  if (message.streamId !== undefined) return readHttp2Head(message)
  // HTTP/1.0 knows no Host and no chunks: where it ends and whom it is for is guesswork.
  if (httpVersionMajor === 1) throw new Denial('header_invalid', { detail: 'HTTP/1.0' })
  throw new Denial('version_unsupported')
}

function requireTarget(url: string): RegExpExecArray {
  const match = REQUEST_TARGET.exec(url)
  if (!match) throw new Denial('path_invalid')
  return match
}

/** RFC 9112 §3.2: exactly one Host, and a valid one. */
function requireHost(fields: Fields, scheme: string): string {
  const hosts = linesOf(fields, 'host')
  const host = hosts.length === 1 ? canonicalAuthority(hosts[0] ?? '', scheme) : undefined
  if (host === undefined) throw new Denial('host_invalid')
  return host
}

/** RFC 9112 §6: llhttp refuses most of it; what it lets through is refused here. */
function readFraming(fields: Fields): { hasBody: boolean; contentLength: number | undefined } {
  const codings = linesOf(fields, 'transfer-encoding')
  const lengths = linesOf(fields, 'content-length')
  const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked'
  if ((codings.length > 0 && !isChunked) || lengths.length + codings.length > 1) {
    throw new Denial('header_invalid', { detail: 'message framing' })
  }
  const contentLength = lengths.length === 1 ? Number(lengths[0]) : undefined
  return { hasBody: isChunked || (contentLength ?? 0) > 0, contentLength }
}

/** RFC 9110 §10.1.1: the one expectation there is. */
function expectsContinue(fields: Fields): boolean {
  const expectations = listOf(fields, 'expect')
  if (expectations.some((expectation) => expectation.toLowerCase() !== '100-continue')) {
    throw new Denial('expectation_unknown')
  }
  return expectations.length > 0
}
