/** One question to an introspection endpoint: is this token active, and what does it say (RFC 7662). */
import { within } from '../deadline.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import {
  readAnswer,
  SIGNED,
  type Introspected,
  type SignedAnswers,
} from './introspection-answer.ts'
import { reason, requestIssuer, type Bounds, type IssuerAnswer } from './request.ts'

export interface IntrospectionEndpoint {
  /** Throws an Error where the gateway does not know where to ask. */
  readonly url: () => string
  readonly authentication: ClientAuthentication
  /** Given where only signed answers count. */
  readonly signed: SignedAnswers | undefined
  /** `timeoutMs` is for all it takes: a token of the gateway's own, and trying again. */
  readonly bounds: Bounds
}

/** Rejects with an Error that says what went wrong, and names neither token nor credentials. */
export async function introspect(
  token: string,
  endpoint: IntrospectionEndpoint,
): Promise<Introspected> {
  const url = endpoint.url()
  const answer = await within(endpoint.bounds.timeoutMs, ask(url, token, endpoint))
  if (answer === 'late') throw new Error(`${url}: no complete answer in time`)
  return readAnswer(answer, endpoint.signed).catch((cause: unknown) => {
    throw new Error(`${url}: ${reason(cause)}`, { cause })
  })
}

async function ask(
  url: string,
  token: string,
  { authentication, signed, bounds }: IntrospectionEndpoint,
): Promise<IssuerAnswer> {
  const accept = signed ? SIGNED : 'application/json'
  const send = async () => {
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' })
    const credentials = await authentication.apply(form)
    const request = { headers: { accept, ...credentials }, form }
    const answer = await requestIssuer(url, request, bounds).catch((cause: unknown) => {
      if (!isConnectionError(cause)) throw cause
      return requestIssuer(url, request, bounds)
    })
    return { answer, credentials }
  }
  const first = await send()
  const isRenewed = first.answer.status === 401 && authentication.renew?.(first.credentials)
  return isRenewed === true ? (await send()).answer : first.answer
}

/** The endpoint did not get the question, or closed a connection that had been kept open. */
function isConnectionError(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown }
  return cause instanceof Error && 'code' in cause && CONNECTION_ERRORS.has(String(cause.code))
}

const CONNECTION_ERRORS = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET'],
])
