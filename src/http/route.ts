/** One route of gateway.yaml, compiled: all that a request of it needs, and nothing to work out. */
import type { Gate } from '../gate.ts'
import type { Cors } from './cors.ts'
import type { IdentityRules } from './identity.ts'
import type { RefusalRules } from './refuse.ts'
import type { UpstreamGroup } from './upstreams.ts'

export interface Route {
  /** Metric and log label. */
  readonly name: string
  /** In lower case, without port. Any host where it is left out. */
  readonly host: string | undefined
  /** Exact, with `:param` segments, or with a trailing `/*`. */
  readonly path: string
  /** Any method where it is left out. */
  readonly methods: ReadonlySet<string> | undefined
  readonly access: 'dpop' | 'dpop-or-bearer' | 'proof' | 'public'
  /** Left out on a public route. */
  readonly gate: Gate | undefined
  /** Whether what the gate refuses is counted and logged, and gets through. */
  readonly observe: boolean
  readonly refusals: RefusalRules
  /** Left out where requests of pages are none of the gateway's business. */
  readonly cors: Cors | undefined
  readonly identity: IdentityRules
  readonly upstreams: UpstreamGroup
  /** Taken off the front of the path before it is forwarded. */
  readonly stripPrefix: string | undefined
  /** Until the answer of the upstream begins. */
  readonly responseTimeoutMs: number
  /** Between two pieces of the answer. */
  readonly idleTimeoutMs: number
  /** Whether it takes WebSockets. */
  readonly websocket: boolean
}
