/** What an authorization server publishes about itself (RFC 8414, OpenID Connect Discovery 1.0). */
import { isAlgorithmName, withAliases, type AlgorithmName } from '../jws/algorithms.ts'
import { text } from '../jws/compact.ts'
import type { JsonObject } from '../jws/json.ts'
import { fetchJson } from './fetch-json.ts'
import { isSafeToFetch, reason, type Bounds } from './request.ts'

/** A metadata document, by the names of RFC 8414 §2. Its `issuer` is the one it was asked for. */
export type Metadata = JsonObject

/** A metadata document, and where it was found. */
export interface Published {
  readonly url: string
  readonly metadata: Metadata
}

export type EndpointName = 'jwks_uri' | 'introspection_endpoint' | 'token_endpoint'

/** Tries the RFC's location, then OpenID Connect's. Rejects with an Error that says why both failed. */
export async function discover(issuer: string, bounds: Bounds): Promise<Published> {
  const failures: unknown[] = []
  for (const url of metadataUrls(issuer)) {
    try {
      return { url, metadata: await readMetadata(url, issuer, bounds) }
    } catch (cause) {
      failures.push(cause)
    }
  }
  throw new AggregateError(failures, failures.map(reason).join('; '))
}

/** Throws an Error where the URL is not published, or is none to send anything to. */
export function readEndpoint(metadata: Metadata, name: EndpointName, allowHttp: boolean): string {
  const url = metadata[name] ?? undefined
  if (url === undefined) throw new Error(`the metadata of the issuer has no ${name}`)
  if (typeof url === 'string' && isSafeToFetch(url, allowHttp)) return url
  throw new Error(`${name} in the metadata of the issuer is not an https URL`)
}

/**
 * The algorithms the issuer says it signs access tokens and introspection answers with; undefined
 * where it does not say. The list for ID tokens is no substitute: Spring Authorization Server
 * publishes RS256 there whatever it signs access tokens with.
 */
export function readSigningAlgorithms(metadata: Metadata): ReadonlySet<AlgorithmName> | undefined {
  // Janssen has this member; RFC 9701 §7 the other. Both may name an algorithm twice.
  const forTokens: unknown = metadata['access_token_signing_alg_values_supported']
  const forAnswers: unknown = metadata['introspection_signing_alg_values_supported']
  if (!Array.isArray(forTokens)) return undefined
  return withAliases([forTokens, forAnswers].flat().map(text).filter(isAlgorithmName))
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

async function readMetadata(url: string, issuer: string, bounds: Bounds): Promise<Metadata> {
  const { document } = await fetchJson(url, bounds)
  // RFC 8414 §3.3: identical, or one issuer could speak for another.
  if (document['issuer'] === issuer) return document
  throw new Error(`${url}: ${describeMismatch(text(document['issuer']), issuer)}`)
}

function describeMismatch(published: string, configured: string): string {
  return published === `${configured}/` || `${published}/` === configured
    ? `the issuer differs by its trailing slash: configure it as ${published}`
    : `the metadata is that of issuer "${published}", not of "${configured}"`
}
