/** The answer of an introspection endpoint, as JSON (RFC 7662 §2.2) or as a signed JWT (RFC 9701). */
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
  if (status !== 200) throw new Error(describeStatus(status))
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

function describeStatus(status: number): string {
  const hint = [400, 401, 403].includes(status)
    ? ': the issuer does not take the credentials of the gateway'
    : ''
  return `the answer has status ${status}${hint}`
}

/** RFC 9701 §5. */
async function readSigned(
  compact: string,
  { issuer, clientId, keys, algorithms }: SignedAnswers,
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
  await verifySignature(jwt, keys, algorithms).catch((cause: unknown) => {
    throw new Error('the signature of the answer does not verify', { cause })
  })
  const answer = claims['token_introspection']
  return isJsonObject(answer) ? answer : undefined
}
