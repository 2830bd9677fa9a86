/**
 * Access tokens that are JWTs, verified with the keys of their issuer (RFC 7519, RFC 8725, RFC 9068).
 * Keys and key locations in the token itself (`jwk`, `jku`, `x5u`, `x5c`) are never looked at.
 */
import { compactVerify, errors } from 'jose'
import { Denial, type DenialCode } from '../denial.ts'
import { isAlgorithmName, withAliases, type AlgorithmName } from '../jws/algorithms.ts'
import { decodeBase64url } from '../jws/base64url.ts'
import { decodeSegment, needsExtension, splitCompact, text } from '../jws/compact.ts'
import type { JsonObject } from '../jws/json.ts'
import type { PublicKey } from '../jws/public-key.ts'
import type { VerifyFresh } from './cached.ts'
import { readAccessToken, readExpiry, type ClaimRules } from './claims.ts'
import type { KeySet } from './keys.ts'
import { requireAccessToken, type TokenTypePolicy } from './token-type.ts'

export interface Issuer extends ClaimRules {
  /** EdDSA and Ed25519 are two names of one algorithm: either stands for both. */
  readonly algorithms: readonly AlgorithmName[]
  readonly tokenType: TokenTypePolicy
  readonly keys: KeySet
}

/** Throws a Denial of the family `token_*`, or `issuer_unavailable`. */
export function createJwtVerifier(issuers: readonly Issuer[]): VerifyFresh {
  const known = new Map(
    issuers.map((issuer) => [
      issuer.issuer,
      { ...issuer, algorithms: withAliases(issuer.algorithms) },
    ]),
  )
  return async (token, now) => {
    const { header, claims } = decode(token)
    const issuer = known.get(text(claims['iss']))
    if (!issuer) throw new Denial('token_issuer', { detail: describeIssuer(claims, issuers) })

    const algorithm = readAlgorithm(header, issuer.algorithms)
    requireAccessToken(header, claims, issuer.tokenType)
    // Read before the key is, so that keys changing in between count as changed.
    const version = issuer.keys.version()
    await verifySignature(token, await issuer.keys.find(readKid(header), algorithm))

    const expiresAt = readExpiry(claims, issuer.clockSkewSeconds, now)
    return {
      accessToken: readAccessToken(claims, issuer, expiresAt, now),
      // A key the issuer has withdrawn takes the tokens signed with it along.
      isTrusted: () => issuer.keys.version() === version,
    }
  }
}

function decode(token: string): { readonly header: JsonObject; readonly claims: JsonObject } {
  const segments = splitCompact(token)
  const header = segments && decodeSegment(segments.header)
  const claims = segments && decodeSegment(segments.payload)
  if (!header || !claims || needsExtension(header)) throw new Denial('token_malformed')
  // jose would decode a second spelling of the signature; alg none has no signature to spell.
  if (segments.signature !== '' && !decodeBase64url(segments.signature)) {
    throw new Denial('token_malformed')
  }
  return { header, claims }
}

/** RFC 8725 §3.1. `none` and the symmetric algorithms have no name here. */
function readAlgorithm(header: JsonObject, accepted: ReadonlySet<AlgorithmName>): AlgorithmName {
  const alg = text(header['alg'])
  if (isAlgorithmName(alg) && accepted.has(alg)) return alg
  throw new Denial('token_algorithm')
}

/** RFC 7515 §4.1.4: a string. */
function readKid({ kid }: JsonObject): string | undefined {
  if (kid === undefined || typeof kid === 'string') return kid
  throw new Denial('token_malformed', { detail: 'kid is not a string' })
}

const JOSE_ERRORS: Readonly<Record<string, DenialCode>> = {
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'token_signature',
  ERR_JWS_INVALID: 'token_malformed',
  ERR_JOSE_ALG_NOT_ALLOWED: 'token_algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'token_algorithm',
}

async function verifySignature(token: string, { key, algorithm }: PublicKey): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] })
  } catch (cause) {
    const code = cause instanceof errors.JOSEError ? JOSE_ERRORS[cause.code] : undefined
    throw code === undefined ? cause : new Denial(code, { cause })
  }
}

/** For the log: the commonest mistake, which is hard to see. */
function describeIssuer(claims: JsonObject, issuers: readonly Issuer[]): string {
  const withoutSlash = (value: string) => value.replace(/\/$/, '')
  const iss = withoutSlash(text(claims['iss']))
  const near = issuers.find(({ issuer }) => withoutSlash(issuer) === iss)
  return near
    ? `iss differs from issuer ${near.name} by its trailing slash`
    : 'iss is not configured'
}
