/** What an authorization server publishes about itself (RFC 8414, OpenID Connect Discovery 1.0). */
import { text } from '../jws/compact.ts'
import { fetchJson, isSafeToFetch, reason, type FetchOptions } from './fetch-json.ts'

export interface Metadata {
  /** Equal to the issuer it was asked for. */
  readonly issuer: string
  /** Safe to fetch from; undefined where it is not published. */
  readonly jwks_uri: string | undefined
}

/** Tries the RFC's location, then OpenID Connect's. Throws an Error that says why both failed. */
export async function discover(issuer: string, options: FetchOptions): Promise<Metadata> {
  const failures: unknown[] = []
  for (const url of metadataUrls(issuer)) {
    try {
      return await readMetadata(url, issuer, options)
    } catch (cause) {
      failures.push(cause)
    }
  }
  throw new AggregateError(failures, failures.map(reason).join('; '))
}

function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    // RFC 8414 §3.1: between host and path, and without the slash the path may end in.
    `${origin}/.well-known/oauth-authorization-server${path}`,
    // OpenID Connect Discovery 1.0 §4: after the path.
    `${origin}${path}/.well-known/openid-configuration`,
  ]
}

async function readMetadata(url: string, issuer: string, options: FetchOptions): Promise<Metadata> {
  const { document } = await fetchJson(url, options)
  // RFC 8414 §3.3: identical, or one issuer could speak for another.
  if (document['issuer'] !== issuer) {
    throw new Error(`${url}: ${describeMismatch(text(document['issuer']), issuer)}`)
  }
  const jwksUri = document['jwks_uri'] ?? undefined
  if (jwksUri === undefined) return { issuer, jwks_uri: undefined }
  if (typeof jwksUri === 'string' && isSafeToFetch(jwksUri, options.allowHttp)) {
    return { issuer, jwks_uri: jwksUri }
  }
  throw new Error(`${url}: jwks_uri is not an https URL`)
}

function describeMismatch(published: string, configured: string): string {
  return published === `${configured}/` || `${published}/` === configured
    ? `the issuer differs by its trailing slash: configure it as ${published}`
    : `the metadata is that of issuer "${published}", not of "${configured}"`
}
