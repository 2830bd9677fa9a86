/**
 * Asks one issuer about tokens, so that its trouble stays its own: connections and a queue apart
 * from everything else, and a breaker that spares requests the wait while it does not answer.
 */
import { Agent } from 'undici'
import { createBreaker } from '../breaker.ts'
import { Denial } from '../denial.ts'
import { readAnswer, type Introspected } from './introspection-answer.ts'
import { askEndpoint, type IntrospectionEndpoint } from './introspection-endpoint.ts'
import type { IssuerAnswer } from './request.ts'
import { isTooLong, reason } from './request.ts'
import { createSlots } from './slots.ts'
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
  const { allowHttp, timeoutMs, report, measure } = options
  const { monotonic } = options.timing ?? processTiming
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 })
  const bounds = { allowHttp, timeoutMs, maxBytes: MAX_ANSWER_BYTES, dispatcher: agent }
  const breaker = createBreaker({ ...BREAKER, monotonic: () => monotonic() / 1_000 })
  const health = createHealth(report, monotonic)
  const slots = createSlots(CONNECTIONS, QUEUE)

  const resting = () => {
    const detail = `not asked again yet: ${health.failure() ?? ''}`
    return new Denial('issuer_unavailable', { detail })
  }

  async function exchange(token: string, since: number): Promise<IssuerAnswer> {
    const waitedMs = monotonic() - since
    try {
      const left = { ...bounds, timeoutMs: Math.ceil(timeoutMs - waitedMs) }
      const answer = await askEndpoint(token, { ...options, bounds: left })
      breaker.succeeded()
      return answer
    } catch (cause) {
      if (isTooLong(cause)) breaker.succeeded()
      else breaker.failed()
      throw cause
    }
  }

  /** An answer that makes no sense opens no breaker: a client could send what makes it so. */
  async function introspect(token: string, since: number): Promise<Introspected> {
    const given = await exchange(token, since)
    const answer = await readAnswer(given, options.signed).catch((cause: unknown) => {
      throw new Error(`${options.url()}: ${describe(cause)}`, { cause })
    })
    health.succeeded()
    return answer
  }

  return {
    async ask(token) {
      const since = monotonic()
      if (breaker.resting) throw resting()
      // Who waits too long in here says nothing about the issuer, and opens no breaker.
      const release = await slots.take(timeoutMs / 2)
      if (!release) throw new Denial('overloaded', { detail: 'too many wait for introspection' })
      try {
        if (!breaker.admits()) throw resting()
        const answer = await introspect(token, since)
        measure(answer.active ? 'active' : 'inactive', (monotonic() - since) / 1_000)
        return answer
      } catch (cause) {
        if (cause instanceof Denial) throw cause
        measure('failed', (monotonic() - since) / 1_000)
        throw new Denial('issuer_unavailable', { detail: health.failed(cause), cause })
      } finally {
        release()
      }
    },
    close() {
      void agent.destroy()
    },
  }
}

/** A client can bring answers about that make no sense, so what it can make the log say is bounded. */
const QUIET_MS = 10_000

/** Says when answers begin to fail, fail for another reason, and come again; not all too often. */
function createHealth(report: IntrospectionOptions['report'], monotonic: () => number) {
  let failure: string | undefined
  let told: { readonly failure: string; readonly at: number; isOver: boolean } | undefined
  return {
    failure: () => failure,
    failed(cause: unknown): string {
      failure = reason(cause)
      const isNews = !told || told.isOver || told.failure !== failure
      if (isNews && monotonic() >= (told?.at ?? -Infinity) + QUIET_MS) {
        told = { failure, at: monotonic(), isOver: false }
        report({ level: 'error', message: `introspection failed: ${failure}` })
      }
      return failure
    },
    succeeded() {
      failure = undefined
      if (!told || told.isOver) return
      told.isOver = true
      report({ level: 'info', message: 'introspection works again' })
    },
  }
}

/** A Denial, of the keys that a signed answer needs, has its reason in `detail`. */
function describe(cause: unknown): string {
  return cause instanceof Denial ? (cause.detail ?? cause.code) : reason(cause)
}
