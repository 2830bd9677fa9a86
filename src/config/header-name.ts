/** The header names that identity may be sent in. */

/** Names that HTTP or the gateway gives a meaning of its own, in lower case. */
const TAKEN = new Set([
  'accept-encoding',
  'authorization',
  'cache-control',
  'connection',
  'cookie',
  'date',
  'dpop',
  'dpop-nonce',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'max-forwards',
  'origin',
  'pragma',
  'range',
  'set-cookie',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'www-authenticate',
  'x-request-id',
])
const TAKEN_PREFIXES = ['content-', 'if-', 'proxy-', 'sec-', 'x-forwarded-']

/**
 * What keeps a name from carrying identity. Only letters, digits and hyphens: servers behind CGI
 * and WSGI read `X_User` and `X-User` as one header, and a client could then send the other.
 */
export function findHeaderNameFault(name: string): string | undefined {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(name)) {
    return 'a header name has only letters, digits and hyphens'
  }
  const lower = name.toLowerCase()
  const taken = TAKEN.has(lower) || TAKEN_PREFIXES.some((prefix) => lower.startsWith(prefix))
  return taken ? 'HTTP or the gateway itself needs this header' : undefined
}
