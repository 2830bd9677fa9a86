/** Fetches what an issuer publishes, keeps the last usable set of keys, and refreshes it. */
import { DOCUMENT_BOUNDS } from './fetch-json.ts'
import { fetchKeys, type KeyLocation } from './fetch-keys.ts'
import type { Jwks } from './jwks.ts'
import { createRefresher, type Refresher } from './refresher.ts'
import { reason } from './request.ts'
import { processTiming, type Timing } from './timing.ts'

export interface KeySourceOptions extends KeyLocation {
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

const LONGEST_STALE_MS = 24 * 60 * 60 * 1_000
const REFRESH_SECONDS = { shortest: 60, usual: 600, longest: 3_600 } as const

export function createKeySource(options: KeySourceOptions): KeySource {
  const { report, timing = processTiming } = options
  const { allowHttp = false, timeoutMs = DOCUMENT_BOUNDS.timeoutMs } = options
  const closing = new AbortController()
  const bounds = { ...DOCUMENT_BOUNDS, allowHttp, timeoutMs, signal: closing.signal }
  let kept: { readonly keys: LoadedKeys; readonly loadedAt: number } | undefined

  const refresher = createRefresher({
    timing,
    async load() {
      const { jwks, maxAgeSeconds } = await fetchKeys(options, bounds)
      const keys = withVersion(kept?.keys, jwks)
      describeChange(keys, kept?.keys).forEach((event) => {
        report(event)
      })
      kept = { keys, loadedAt: timing.monotonic() }
      return refreshSeconds(maxAgeSeconds)
    },
    onFailure(cause, retrySeconds) {
      const message = `keys could not be loaded, next attempt in ${retrySeconds} s: ${reason(cause)}`
      report({ level: 'warn', message })
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

function withVersion(previous: LoadedKeys | undefined, next: Jwks): LoadedKeys {
  const version = previous?.version ?? 0
  return { ...next, version: next.fingerprint === previous?.fingerprint ? version : version + 1 }
}

/** What is worth a line in the log: not the same at every refresh. */
function describeChange(next: LoadedKeys, previous: LoadedKeys | undefined) {
  const skipped = next.skipped.filter((sentence) => !previous?.skipped.includes(sentence))
  const kids = new Set(next.keys.map(({ kid }) => kid ?? '(none)'))
  const algorithms = new Set(next.keys.map(({ publicKey }) => publicKey.algorithm))
  return [
    ...skipped.map((sentence) => ({ level: 'warn', message: `${sentence}; left out` }) as const),
    ...(next.version === previous?.version
      ? []
      : [
          {
            level: 'info',
            message: `keys loaded, kid: ${[...kids].join(' ')}; for ${[...algorithms].join(' ')}`,
          } as const,
        ]),
  ]
}

function refreshSeconds(maxAgeSeconds: number = REFRESH_SECONDS.usual): number {
  const { shortest, longest } = REFRESH_SECONDS
  return Math.min(Math.max(maxAgeSeconds, shortest), longest)
}
