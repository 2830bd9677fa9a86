/** `WWW-Authenticate`, written here and nowhere else (RFC 9110 §11.6.1, RFC 9449 §7.1). */
import { REFUSALS, type DenialCode, type Refusal } from '../denial.ts'

export type Scheme = 'dpop' | 'bearer'

/**
 * The challenges of a refusal, one for each line. `sent` is the scheme the client has used,
 * `publicUrl` what it has called.
 */
export type Challenger = (code: DenialCode, sent: Scheme, publicUrl: string) => readonly string[]

/** What a route asks for. */
export interface ChallengeRules {
  /** Names of the algorithms a proof may be signed with (RFC 9449 §7.1). */
  readonly algorithms: Iterable<string>
  readonly scopes: readonly string[]
  /** Whether a token may come with the Bearer scheme too (RFC 9449 §7.2). */
  readonly acceptsBearer: boolean
  /** Authentication context classes, and the longest time since the login (RFC 9470 §3). */
  readonly authentication: {
    readonly contexts: readonly string[]
    readonly maxAgeSeconds: number | undefined
  }
  /** Where its metadata is, by public URL (RFC 9728 §5.1). */
  readonly metadataUrls: ReadonlyMap<string, string>
}

type Parameter = readonly [name: string, value: string | number]

/** Of each route there are so few that each is written once. */
export function createChallenger(rules: ChallengeRules): Challenger {
  const written = new Map<string, readonly string[]>()
  return (code, sent, publicUrl) => {
    // Only a configured one makes a difference: of those that Host makes up there is no end.
    const metadataUrl = rules.metadataUrls.get(publicUrl)
    const key = `${code} ${sent} ${metadataUrl ?? ''}`
    const known = written.get(key) ?? writeChallenges(code, sent, metadataUrl, rules)
    written.set(key, known)
    return known
  }
}

function writeChallenges(
  code: DenialCode,
  sent: Scheme,
  metadataUrl: string | undefined,
  rules: ChallengeRules,
): readonly string[] {
  const refusal: Refusal = REFUSALS[code]
  if (!refusal.challenge) return []
  const error = errorOf(refusal, code, rules)
  // RFC 6750 §3.1, RFC 9449 §7.2: the error stands with the scheme it is about, the other one bare.
  const isAboutBearer = rules.acceptsBearer && sent === 'bearer'
  const isAboutBoth = code === 'credentials_multiple' || code === 'credentials_mixed'
  const dpop = [
    ...(isAboutBearer && !isAboutBoth ? [] : error),
    ['algs', [...rules.algorithms].join(' ')] as const,
  ]
  const bearer = isAboutBearer || isAboutBoth ? error : []
  const always = [...scopeOf(code, rules), ...metadataOf(metadataUrl)]
  return [
    write('DPoP', [...dpop, ...always]),
    ...(rules.acceptsBearer ? [write('Bearer', [...bearer, ...always])] : []),
  ]
}

function errorOf(
  { error, description }: Refusal,
  code: DenialCode,
  { authentication }: ChallengeRules,
): readonly Parameter[] {
  // RFC 6750 §3.1: without credentials in the request, the challenge names no error.
  if (error === undefined) return []
  const named: Parameter[] = [
    ['error', error],
    ['error_description', description],
  ]
  if (code !== 'authentication_insufficient') return named
  const { contexts, maxAgeSeconds } = authentication
  if (contexts.length > 0) named.push(['acr_values', contexts.join(' ')])
  if (maxAgeSeconds !== undefined) named.push(['max_age', maxAgeSeconds])
  return named
}

/** RFC 6750 §3: `scope` tells a client that has no token yet what to ask for. */
function scopeOf(code: DenialCode, { scopes }: ChallengeRules): readonly Parameter[] {
  const isScopeAsked = code === 'scope_insufficient' || code === 'credentials_missing'
  return isScopeAsked && scopes.length > 0 ? [['scope', scopes.join(' ')]] : []
}

/** RFC 9728 §5: with any scheme, and every time, as the metadata may have changed (§5.2). */
function metadataOf(url: string | undefined): readonly Parameter[] {
  return url === undefined ? [] : [['resource_metadata', url]]
}

/** RFC 9110 §5.6.4: every value is a quoted-string. */
function write(scheme: string, parameters: readonly Parameter[]): string {
  const written = parameters.map(
    ([name, value]) => `${name}="${String(value).replaceAll(/["\\]/g, String.raw`\$&`)}"`,
  )
  return [scheme, written.join(', ')].filter(Boolean).join(' ')
}
