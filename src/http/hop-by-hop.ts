/** Fields that belong to one connection and are not passed on (RFC 9110 §7.6.1). */

export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'http2-settings', // Goes with an upgrade to h2c (RFC 7540 §3.2.1), which nobody is let do here.
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const NONE: ReadonlySet<string> = new Set()

/** The fields that the sender names in Connection, in lower case. */
export function nominated(connection: readonly string[]): ReadonlySet<string> {
  // What most senders say there names nothing that is not left out anyway.
  if (connection.every((line) => /^(keep-alive|close)$/i.test(line))) return NONE
  const names = connection.join(',').toLowerCase().split(',')
  return new Set(names.map((name) => name.trim()))
}
