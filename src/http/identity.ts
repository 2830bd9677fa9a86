/** The identity of an admitted caller as header fields that the upstream can trust. */
import type { Grant } from '../gate.ts'
import type { AccessToken } from '../token/access-token.ts'

export interface IdentityRules {
  /** Field name to source: `sub`, `client_id`, `scope`, `iss`, `cnf.jkt` or the name of a claim. */
  readonly headers: readonly (readonly [name: string, source: string])[]
  /** What becomes of Authorization: left out, as received, or rewritten to the Bearer scheme. */
  readonly token: 'drop' | 'keep' | 'bearer'
}

/** Field lines, name and value in turn. A field without a value is left out, never sent empty. */
export function identityFields(
  { token, proof }: Pick<Grant, 'token' | 'proof'>,
  rules: IdentityRules,
): string[] {
  const lines: string[] = []
  for (const [name, source] of rules.headers) {
    const value =
      source === 'cnf.jkt'
        ? (proof?.thumbprint ?? '')
        : fieldValue(token && readSource(token, source))
    if (value !== '') lines.push(name, value)
  }
  return lines
}

function readSource(token: AccessToken, source: string): unknown {
  switch (source) {
    case 'sub':
      return token.subject
    case 'client_id':
      return token.clientId
    case 'scope':
      return token.scopes.join(' ')
    case 'iss':
      return token.issuer
    default:
      return Object.hasOwn(token.claims, source) ? token.claims[source] : undefined
  }
}

/** A list is joined by commas; a comma inside of a member is percent-encoded. */
function fieldValue(value: unknown): string {
  if (typeof value === 'string') return encodeField(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value))
    return value.map((member) => fieldValue(member).replaceAll(',', '%2C')).join(',')
  return value === undefined || value === null ? '' : encodeField(JSON.stringify(value))
}

/**
 * Everything outside of printable ASCII is percent-encoded as UTF-8, and so are the percent sign
 * and white space at the ends: an upstream that decodes it has the very value of the token, and
 * no value can end the line.
 */
function encodeField(value: string): string {
  if (/^(?! )[\x20-\x24\x26-\x7e]*(?<! )$/.test(value)) return value
  const inner = value.trim()
  if (inner === '') return encodeURIComponent(value)
  const [before = '', after = ''] = value.split(inner, 2)
  const encoded = inner.toWellFormed().replaceAll(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent)
  return encodeURIComponent(before) + encoded + encodeURIComponent(after)
}
