/** Fetches what an issuer publishes, keeps the last usable set of keys, and refreshes it. */
import { withAliases, type AlgorithmName } from '../jws/algorithms.ts'
import { fetchJson, reason, type FetchOptions } from './fetch-json.ts'
import { readJwks, type Jwks } from './jwks.ts'
import { discover } from './metadata.ts'
import { createRefresher, type Refresher } from './refresher.ts'
import { processTiming, type Timing } from './timing.ts'

export interface KeySourceOptions {
  readonly issuer: string
  /** Left out, it is discovered from the issuer's metadata at every refresh. */
  readonly jwksUri?: string | undefined
  readonly algorithms: readonly AlgorithmName[]
  /** Allows plain http to hosts beyond loopback. Default is false. */
  readonly allowHttp?: boolean
  /** Bounds each request to the issuer. Default is 5000. */
  readonly timeoutMs?: number
  readonly report: (event: KeyEvent) => void
  readonly timing?: Timing
}

/** For the log. `message` is a sentence and holds neither tokens nor key material. */
export interface KeyEvent {
  readonly level: 'info' | 'warn'
  readonly issuer: string
  readonly message: string
}

export interface LoadedKeys extends Jwks {
  /** Changes with the keys; 1 for the first set. */
  readonly version: number
}

export interface KeySource extends Refresher {
  /** The last usable set, undefined where there is none or it is older than a day. */
  readonly current: () => LoadedKeys | undefined
}

const MAX_DOCUMENT_BYTES = 1024 * 1024
const LONGEST_STALE_MS = 24 * 60 * 60 * 1_000
const REFRESH_SECONDS = { shortest: 60, usual: 600, longest: 3_600 } as const

export function createKeySource(options: KeySourceOptions): KeySource {
  const { issuer, report, timing = processTiming } = options
  const algorithms = withAliases(options.algorithms)
  const closing = new AbortController()
  let kept: { readonly keys: LoadedKeys; readonly loadedAt: number } | undefined

  const refresher = createRefresher({
    timing,
    async load() {
      const { document, maxAgeSeconds } = await fetchJwks(options, closing.signal)
      const keys = withVersion(kept?.keys, readJwks(document, algorithms))
      describeChange(keys, kept?.keys).forEach((event) => {
        report({ ...event, issuer })
      })
      kept = { keys, loadedAt: timing.monotonic() }
      return refreshSeconds(maxAgeSeconds)
    },
    onFailure(cause, retrySeconds) {
      const message = `keys could not be loaded, next attempt in ${retrySeconds} s: ${reason(cause)}`
      report({ level: 'warn', issuer, message })
    },
  })

  return {
    ...refresher,
    current: () =>
      kept && timing.monotonic() - kept.loadedAt <= LONGEST_STALE_MS ? kept.keys : undefined,
    close() {
      closing.abort()
      refresher.close()
    },
  }
}

async function fetchJwks(options: KeySourceOptions, signal: AbortSignal) {
  const { issuer, allowHttp = false, timeoutMs = 5_000 } = options
  const fetching: FetchOptions = { allowHttp, timeoutMs, signal, maxBytes: MAX_DOCUMENT_BYTES }
  const url = options.jwksUri ?? (await discover(issuer, fetching)).jwks_uri
  if (url === undefined) throw new Error('the metadata of the issuer has no jwks_uri')
  return fetchJson(url, fetching)
}

function withVersion(previous: LoadedKeys | undefined, next: Jwks): LoadedKeys {
  const version = previous?.version ?? 0
  return { ...next, version: next.fingerprint === previous?.fingerprint ? version : version + 1 }
}

/** What is worth a line in the log: not the same at every refresh. */
function describeChange(next: LoadedKeys, previous: LoadedKeys | undefined) {
  const skipped = next.skipped.filter((sentence) => !previous?.skipped.includes(sentence))
  const kids = new Set(next.keys.map(({ kid }) => kid ?? '(none)'))
  return [
    ...skipped.map((sentence) => ({ level: 'warn', message: `${sentence}; left out` }) as const),
    ...(next.version === previous?.version
      ? []
      : [{ level: 'info', message: `keys loaded, kid: ${[...kids].join(' ')}` } as const]),
  ]
}

function refreshSeconds(maxAgeSeconds: number = REFRESH_SECONDS.usual): number {
  const { shortest, longest } = REFRESH_SECONDS
  return Math.min(Math.max(maxAgeSeconds, shortest), longest)
}
