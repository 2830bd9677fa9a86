/**
 * An access token of the gateway's own (RFC 6749 §4.4, client credentials), for an issuer that
 * wants one at its introspection endpoint. Got when it is first needed, and again before it expires
 * or when it is refused.
 */
import { text } from '../jws/compact.ts'
import { parseJsonObject } from '../jws/json.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { requestIssuer, type Bounds } from './request.ts'
import { processTiming, type Timing } from './timing.ts'

export interface OwnToken {
  /** Rejects with an Error where the issuer gives none. */
  readonly get: () => Promise<string>
  /**
   * Whether there is, or will be, another token than the one that was refused. False where that
   * one is so new that another would be refused as well.
   */
  readonly renew: (refused: string) => boolean
}

export interface OwnTokenOptions {
  readonly tokenEndpoint: () => Promise<string>
  readonly authentication: ClientAuthentication
  readonly scope: string | undefined
  readonly bounds: Bounds
  readonly timing?: Pick<Timing, 'monotonic'>
}

/** Renewed that long before it expires, or in the last tenth of a short life. */
const MARGIN_MS = 30_000
/** A token that was refused within this time was not refused for its age. */
const NEW_MS = 5_000

interface Issued {
  readonly token: string
  readonly since: number
  /** Infinity where nobody says. */
  readonly lifetimeMs: number
}

export function createOwnToken(options: OwnTokenOptions): OwnToken {
  const { monotonic } = options.timing ?? processTiming
  let kept: Issued | undefined
  let underWay: Promise<string> | undefined

  async function ask(): Promise<string> {
    const since = monotonic()
    try {
      kept = { ...(await request(options)), since }
      return kept.token
    } catch (error) {
      // What is still good serves until it is not.
      if (kept && monotonic() < kept.since + kept.lifetimeMs) return kept.token
      throw error
    } finally {
      underWay = undefined
    }
  }

  return {
    async get() {
      const isDue = !kept || monotonic() >= renewalOf(kept)
      return kept && !isDue ? kept.token : (underWay ??= ask())
    },
    renew(refused) {
      if (kept?.token !== refused) return true
      if (monotonic() - kept.since < NEW_MS) return false
      kept = undefined
      return true
    },
  }
}

function renewalOf({ since, lifetimeMs }: Issued): number {
  return since + Math.max(lifetimeMs - MARGIN_MS, lifetimeMs * 0.9)
}

/** RFC 6750 §2.1: with an access token of the gateway's own. */
export function createBearer(token: OwnToken): ClientAuthentication {
  return {
    apply: async () => ({ authorization: `Bearer ${await token.get()}` }),
    renew: ({ authorization = '' }) => token.renew(authorization.slice('Bearer '.length)),
  }
}

async function request({ tokenEndpoint, authentication, scope, bounds }: OwnTokenOptions) {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) form.set('scope', scope)
  const url = await tokenEndpoint()
  const headers = { accept: 'application/json', ...(await authentication.apply(form)) }
  const { status, body } = await requestIssuer(url, { headers, form }, bounds)
  if (status !== 200) throw new Error(`${url}: no token for the gateway itself, status ${status}`)
  const answer = parseJsonObject(body)
  const token = text(answer?.['access_token'])
  // RFC 6750 §2.1: what may stand in the header, and nothing that could end its line.
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new Error(`${url}: the answer has no access_token`)
  return { token, lifetimeMs: readLifetimeMs(answer?.['expires_in']) }
}

/** RFC 6749 §5.1. Without `expires_in` the token serves until it is refused. */
function readLifetimeMs(expiresIn: unknown): number {
  const seconds = /^\d{1,9}(\.\d+)?$/.test(String(expiresIn)) ? Number(expiresIn) : 0
  return seconds > 0 ? seconds * 1_000 : Number.POSITIVE_INFINITY
}
