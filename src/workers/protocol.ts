/**
 * What the primary process and its workers say to each other: the primary asks, a worker answers.
 * It is sent as structured clones, so a Config arrives as it is.
 */
import type { Snapshot } from '../admin/metrics.ts'
import type { Components } from '../admin/server.ts'
import type { Lengthening } from '../compose/retention.ts'
import type { Config } from '../config/schema.ts'

export interface StartOptions {
  readonly config: Config
  /** The same for all workers: an upstream cannot tell which one a request came through. */
  readonly assertionKey: string
  /** Of the reloads before: a worker that starts now has not seen them. */
  readonly lengthened: Lengthening | undefined
}

/** What a worker can be asked, and the answer it gives. */
export interface Questions {
  /** Listens; the answer is the URL of the traffic, or the path of the socket. */
  readonly start: { readonly with: StartOptions; readonly answer: string }
  /** Puts the configuration in force. */
  readonly replace: { readonly with: Config; readonly answer: null }
  /** Drains. The worker ends after its answer. */
  readonly stop: { readonly with: null; readonly answer: null }
  readonly components: { readonly with: null; readonly answer: Components }
  /** What assertions are verified with, a JWK Set. */
  readonly keySet: { readonly with: null; readonly answer: string }
  readonly metrics: { readonly with: null; readonly answer: Snapshot }
}

/** The variable by which a worker knows that it is one, and which. Counted from 1. */
export const WORKER_VARIABLE = 'DPOP_GATEWAY_WORKER'

export type Kind = keyof Questions

export interface Question {
  readonly id: number
  readonly kind: Kind
  readonly with: Questions[Kind]['with']
}

/** The id of the reply that nobody has asked for: the worker listens now. */
export const HERE = 0

export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string }

/** What a worker does with each question. */
export type Answers = {
  readonly [K in Kind]: (
    value: Questions[K]['with'],
  ) => Promise<Questions[K]['answer']> | Questions[K]['answer']
}
