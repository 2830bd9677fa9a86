/** The identity of an admitted caller as header fields that the upstream can trust. */
import { Denial } from '../denial.ts'
import type { Grant } from '../gate.ts'
import type { AccessToken } from '../token/access-token.ts'

export interface IdentityRules {
  /** Field name to source: `sub`, `client_id`, `scope`, `iss`, `cnf.jkt` or the name of a claim. */
  readonly headers: readonly (readonly [name: string, source: string])[]
  /** What becomes of Authorization: left out, as received, or rewritten to the Bearer scheme. */
  readonly token: 'drop' | 'keep' | 'bearer'
  /** The field with what the gateway signs about the caller. Left out: none. */
  readonly assertion?: AssertionField | undefined
  /** Longest value of a field, in characters. Default is 8000: most servers take no more. */
  readonly maxLength?: number
}

export interface AssertionField {
  readonly header: string
  /** Undefined where there is nothing to say about the caller. */
  readonly assert: (grant: Identified) => string | undefined
}

type Identified = Pick<Grant, 'token' | 'proof' | 'now'>

const MAX_LENGTH = 8000

/**
 * Field lines, name and value in turn. A field without a value is left out, never sent empty. Throws
 * `claim_refused` where one would be too long: cut off it might be the identity of somebody else.
 */
export function identityFields(grant: Identified, rules: IdentityRules): string[] {
  const { headers, assertion, maxLength = MAX_LENGTH } = rules
  const lines: string[] = []
  for (const [name, source] of headers) {
    const value = valueOf(grant, source)
    if (value.length > maxLength) throw tooLong(`claim ${source}`, value.length)
    if (value !== '') lines.push(name, value)
  }
  const asserted = assertion?.assert(grant)
  if (!assertion || asserted === undefined) return lines
  if (asserted.length > maxLength) throw tooLong('the assertion', asserted.length)
  lines.push(assertion.header, asserted)
  return lines
}

function tooLong(what: string, length: number): Denial {
  return new Denial('claim_refused', { detail: `${what}: too long to hand on (${length})` })
}

function valueOf({ token, proof }: Identified, source: string): string {
  if (source === 'cnf.jkt') return proof?.thumbprint ?? ''
  return fieldValue(token && readSource(token, source))
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
  if (!Array.isArray(value)) return plainValue(value)
  return value.map((member) => plainValue(member).replaceAll(',', '%2C')).join(',')
}

/** What is neither text, number nor truth is JSON. */
function plainValue(value: unknown): string {
  if (typeof value === 'string') return encodeField(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
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
