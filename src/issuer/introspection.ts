/**
 * Asks one issuer about tokens, so that its trouble stays its own: connections and a queue apart
 * from everything else, and a breaker that spares requests the wait while it does not answer.
 */
import { Agent } from 'undici'
import { createBreaker } from '../breaker.ts'
import { Denial } from '../denial.ts'
import type { Introspected } from './introspection-answer.ts'
import { introspect, type IntrospectionEndpoint } from './introspection-endpoint.ts'
import { reason } from './request.ts'
import { processTiming, type Timing } from './timing.ts'

export interface Introspection {
  /** Throws `issuer_unavailable`, or `overloaded` where too many wait for an answer already. */
  readonly ask: (token: string) => Promise<Introspected>
  /** Breaks off what is under way. */
  readonly close: () => void
}

export interface IntrospectionOptions extends Omit<IntrospectionEndpoint, 'bounds'> {
  readonly allowHttp: boolean
  readonly timeoutMs: number
  /** Told when answers begin to fail, fail for another reason, and come again. */
  readonly report: (event: IntrospectionEvent) => void
  /** Told of every question that was asked. */
  readonly measure: (outcome: Outcome, seconds: number) => void
  readonly timing?: Pick<Timing, 'monotonic'>
}

/** For the log. `message` is a sentence without tokens and credentials. */
export interface IntrospectionEvent {
  readonly level: 'info' | 'error'
  readonly message: string
}

export type Outcome = 'active' | 'inactive' | 'failed'

const CONNECTIONS = 32
const QUEUE = 512
const MAX_ANSWER_BYTES = 64 * 1024
const BREAKER = { maxFailures: 5, restSeconds: 1 }

export function createIntrospection(options: IntrospectionOptions): Introspection {
  const { allowHttp, timeoutMs, report, measure, timing = processTiming } = options
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 })
  const bounds = { allowHttp, timeoutMs, maxBytes: MAX_ANSWER_BYTES, dispatcher: agent }
  const seconds = () => timing.monotonic() / 1_000
  const breaker = createBreaker({ ...BREAKER, monotonic: seconds })
  let pending = 0
  let failure: string | undefined

  function failed(cause: unknown): Denial {
    breaker.failed()
    const detail = reason(cause)
    if (detail !== failure) report({ level: 'error', message: `introspection failed: ${detail}` })
    failure = detail
    return new Denial('issuer_unavailable', { detail, cause })
  }

  function succeeded(): void {
    breaker.succeeded()
    if (failure !== undefined) report({ level: 'info', message: 'introspection works again' })
    failure = undefined
  }

  return {
    async ask(token) {
      if (pending >= CONNECTIONS + QUEUE) {
        throw new Denial('overloaded', { detail: 'too many wait for introspection' })
      }
      if (!breaker.admits()) {
        throw new Denial('issuer_unavailable', { detail: `not asked again yet: ${failure ?? ''}` })
      }
      pending++
      const since = seconds()
      try {
        const answer = await introspect(token, { ...options, bounds })
        succeeded()
        measure(answer.active ? 'active' : 'inactive', seconds() - since)
        return answer
      } catch (cause) {
        measure('failed', seconds() - since)
        throw failed(cause)
      } finally {
        pending--
      }
    },
    close() {
      void agent.destroy()
    },
  }
}
