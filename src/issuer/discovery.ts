/** The metadata of one issuer, fetched when it is needed and shared by all who need it. */
import { DOCUMENT_BOUNDS } from './fetch-json.ts'
import { discover, readEndpoint, type EndpointName, type Published } from './metadata.ts'
import { processTiming, type Timing } from './timing.ts'

export interface Discovery {
  /** Not older than a minute. Rejects with an Error where it cannot be had. */
  readonly published: () => Promise<Published>
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

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { issuer, allowHttp = false, timing = processTiming } = options
  const { timeoutMs = DOCUMENT_BOUNDS.timeoutMs } = options
  const closing = new AbortController()
  const bounds = { ...DOCUMENT_BOUNDS, allowHttp, timeoutMs, signal: closing.signal }
  let kept: { readonly published: Promise<Published>; readonly at: number } | undefined

  const published = () => {
    const at = timing.monotonic()
    if (kept && at - kept.at < FRESH_MS) return kept.published
    const attempt = { published: discover(issuer, bounds), at }
    kept = attempt
    attempt.published.catch(() => {
      if (kept === attempt) kept = undefined
    })
    return attempt.published
  }
  return {
    published,
    endpoint: async (name) => readEndpoint((await published()).metadata, name, allowHttp),
    close() {
      closing.abort()
    },
  }
}
