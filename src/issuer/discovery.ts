/** The metadata of one issuer, fetched when it is needed and shared by all who need it. */
import { discover, readEndpoint, type EndpointName, type Metadata } from './metadata.ts'
import { processTiming, type Timing } from './timing.ts'

export interface Discovery {
  /** Not older than a minute. Rejects with an Error where it cannot be had. */
  readonly metadata: () => Promise<Metadata>
  /** A URL of the metadata. Rejects with an Error where it is not there, or not safe to use. */
  readonly endpoint: (name: EndpointName) => Promise<string>
  readonly close: () => void
}

export interface DiscoveryOptions {
  readonly issuer: string
  /** Allows plain http to hosts beyond loopback. Default is false. */
  readonly allowHttp?: boolean
  /** Bounds each of the two requests it may take. Default is 5000. */
  readonly timeoutMs?: number
  readonly timing?: Pick<Timing, 'monotonic'>
}

const FRESH_MS = 60_000
const MAX_BYTES = 1024 * 1024

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { issuer, allowHttp = false, timeoutMs = 5_000, timing = processTiming } = options
  const closing = new AbortController()
  const bounds = { allowHttp, timeoutMs, maxBytes: MAX_BYTES, signal: closing.signal }
  let kept: { readonly metadata: Promise<Metadata>; readonly at: number } | undefined

  const metadata = () => {
    const at = timing.monotonic()
    if (kept && at - kept.at < FRESH_MS) return kept.metadata
    const attempt = { metadata: discover(issuer, bounds), at }
    kept = attempt
    attempt.metadata.catch(() => {
      if (kept === attempt) kept = undefined
    })
    return attempt.metadata
  }
  return {
    metadata,
    endpoint: async (name) => readEndpoint(await metadata(), name, allowHttp),
    close() {
      closing.abort()
    },
  }
}
