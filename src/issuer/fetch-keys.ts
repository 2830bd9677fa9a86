/** Finds and fetches the keys an issuer publishes. */
import { withAliases, type AlgorithmName } from '../jws/algorithms.ts'
import type { Discovery } from './discovery.ts'
import { fetchJson } from './fetch-json.ts'
import { readJwks, type Jwks } from './jwks.ts'
import { readEndpoint, readSigningAlgorithms } from './metadata.ts'
import { reason, type Bounds } from './request.ts'

export interface KeyLocation {
  /** Left out, it is discovered. */
  readonly jwksUri?: string | undefined
  readonly discovery: Discovery
  readonly algorithms: readonly AlgorithmName[]
}

interface Fetched {
  readonly url: string
  /** What the keys may be for: the algorithms both sides know. */
  readonly accepted: ReadonlySet<AlgorithmName>
  readonly jwks: Jwks
  readonly maxAgeSeconds: number | undefined
}

/** Rejects with an Error where there is no key to verify with. */
export async function fetchKeys(location: KeyLocation, bounds: Bounds): Promise<Fetched> {
  const { url, accepted } = await locate(location, bounds)
  const { document, maxAgeSeconds } = await fetchJson(url, bounds)
  try {
    return { url, accepted, jwks: readJwks(document, accepted), maxAgeSeconds }
  } catch (cause) {
    throw new Error(`${url}: ${reason(cause)}`, { cause })
  }
}

async function locate({ jwksUri, discovery, algorithms }: KeyLocation, { allowHttp }: Bounds) {
  const configured = withAliases(algorithms)
  if (jwksUri !== undefined) return { url: jwksUri, accepted: configured }
  const { metadata } = await discovery.published()
  const published = readSigningAlgorithms(metadata)
  const accepted = new Set([...configured].filter((name) => published?.has(name) ?? true))
  if (accepted.size > 0) return { url: readEndpoint(metadata, 'jwks_uri', allowHttp), accepted }
  throw new Error(
    `the issuer signs with none of the algorithms configured: ${[...configured].join(' ')}`,
  )
}
