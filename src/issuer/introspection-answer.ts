/** The answer of an introspection endpoint, as JSON (RFC 7662 §2.2) or as a signed JWT (RFC 9701). */
import { Denial } from '../denial.ts'
import type { AlgorithmName } from '../jws/algorithms.ts'
import { text } from '../jws/compact.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from '../jws/json.ts'
import type { KeySet } from './keys.ts'
import type { IssuerAnswer } from './request.ts'
import { decodeJwt, verifySignature } from './signed-jwt.ts'

/** What a signed answer must say and be signed with. */
export interface SignedAnswers {
  readonly issuer: string
  /** The gateway, as the issuer knows it. */
  readonly clientId: string
  readonly keys: KeySet
  readonly algorithms: ReadonlySet<AlgorithmName>
  /** How far `iat` may be from now: the clock skew, and the time the answer may take. */
  readonly toleranceSeconds: number
}

/** What an issuer says about a token. */
export interface Introspected extends JsonObject {
  readonly active: boolean
}

/** RFC 9701 §4. */
export const SIGNED = 'application/token-introspection+jwt'

/** `signed` is given where only signed answers count. Rejects with an Error that says what is wrong. */
export async function readAnswer(
  { status, headers, body }: Pick<IssuerAnswer, 'status' | 'headers' | 'body'>,
  signed: SignedAnswers | undefined,
): Promise<Introspected> {
  if (status !== 200) {
    const error = text(parseJsonObject(body)?.['error'])
    // RFC 7009 §2.2.1: how oidc-provider says that it does not know tokens of this kind.
    if (error === 'unsupported_token_type') return { active: false }
    throw new Error(describeStatus(status, error))
  }
  const type = String(headers['content-type'] ?? 'none')
    .split(';')[0]
    ?.trim()
    .toLowerCase()
  if (!signed && type === SIGNED) {
    throw new Error('the answer is a signed JWT: set introspection.response to jwt')
  }
  if (signed && type !== SIGNED) throw new Error(`the answer is no signed JWT, but of type ${type}`)
  const answer = signed ? await readSigned(body.toString(), signed) : parseJsonObject(body)
  if (!answer) throw new Error('the answer is not a JSON object')
  // RFC 7662 §2.2: a boolean. Whatever is merely truthy must not let anybody in.
  const { active } = answer
  if (typeof active !== 'boolean') throw new Error('the answer has no boolean `active`')
  return { ...answer, active }
}

function describeStatus(status: number, error: string): string {
  const named = /^[a-z_]{1,40}$/.test(error) ? `: ${error}` : ''
  // Janssen answers 400 where there are no credentials it reads.
  const isRefusal =
    [401, 403].includes(status) || (status === 400 && ['', 'invalid_client'].includes(error))
  const hint = isRefusal ? ': the issuer does not take the credentials of the gateway' : ''
  return `the answer has status ${status}${named}${hint}`
}

/** RFC 9701 §5. */
async function readSigned(
  compact: string,
  { issuer, clientId, keys, algorithms, toleranceSeconds }: SignedAnswers,
): Promise<JsonObject | undefined> {
  const jwt = decodeJwt(compact)
  if (!jwt) throw new Error('the signed answer is malformed, or encrypted')
  const { header, claims } = jwt
  if (!/^(application\/)?token-introspection\+jwt$/i.test(text(header['typ']))) {
    throw new Error('typ of the signed answer is not token-introspection+jwt')
  }
  if (claims['iss'] !== issuer) throw new Error('the signed answer is of another issuer')
  if (![claims['aud']].flat().includes(clientId)) {
    throw new Error('the signed answer is for another client')
  }
  requireRecent(claims, toleranceSeconds)
  await verifySignature(jwt, keys, algorithms).catch((cause: unknown) => {
    if (isUnavailable(cause)) throw cause
    throw new Error('the signature of the answer does not verify', { cause })
  })
  const answer = claims['token_introspection']
  return isJsonObject(answer) ? answer : undefined
}

/** Or who can hold back answers could give an old one for a token that was revoked since. */
function requireRecent({ iat, exp, nbf }: JsonObject, toleranceSeconds: number): void {
  const now = Date.now() / 1_000
  const isNear = typeof iat === 'number' && Math.abs(now - iat) <= toleranceSeconds
  const isOver = exp !== undefined && !(Number(exp) > now - toleranceSeconds)
  const isEarly = nbf !== undefined && !(Number(nbf) < now + toleranceSeconds)
  if (!isNear || isOver || isEarly) throw new Error('the signed answer is not of now, by its times')
}

/** The keys could not be had, which says nothing about the signature. */
function isUnavailable(error: unknown): error is Denial {
  return error instanceof Denial && error.code === 'issuer_unavailable'
}
