/** One question to an introspection endpoint: is this token active, and what does it say (RFC 7662). */
import { within } from '../deadline.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { SIGNED, type SignedAnswers } from './introspection-answer.ts'
import { codeOfCause, requestIssuer, type Bounds, type IssuerAnswer } from './request.ts'

export interface IntrospectionEndpoint {
  /** Throws an Error where the gateway does not know where to ask. */
  readonly url: () => string
  readonly authentication: ClientAuthentication
  /** Given where only signed answers count. */
  readonly signed: SignedAnswers | undefined
  /** `timeoutMs` is for all it takes: a token of the gateway's own, and trying again. */
  readonly bounds: Bounds
}

/**
 * Rejects with an Error, which names neither token nor credentials, where the endpoint does not
 * answer. What it answers is not looked at: some tokens may make it answer with an error.
 */
export async function askEndpoint(
  token: string,
  endpoint: IntrospectionEndpoint,
): Promise<IssuerAnswer> {
  const url = endpoint.url()
  const answer = await within(endpoint.bounds.timeoutMs, ask(url, token, endpoint))
  if (answer === 'late') throw new Error(`${url}: no complete answer in time`)
  if (!NO_ANSWER.has(answer.status)) return answer
  throw new Error(`${url}: the answer has status ${answer.status}`)
}

/** Too busy, or a proxy in front of an endpoint that is gone. */
const NO_ANSWER: ReadonlySet<number> = new Set([429, 502, 503, 504])

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
    return { answer: await requestIssuer(url, request, bounds), credentials }
  }
  // Once more from the start, as an assertion may be good for one request alone.
  const first = await send().catch((cause: unknown) => {
    if (isConnectionError(cause)) return send()
    throw cause
  })
  const isRenewed = first.answer.status === 401 && authentication.renew?.(first.credentials)
  return isRenewed === true ? (await send()).answer : first.answer
}

/** The endpoint did not get the question, or closed a connection that had been kept open. */
function isConnectionError(error: unknown): boolean {
  return CONNECTION_ERRORS.has(codeOfCause(error) ?? '')
}

const CONNECTION_ERRORS = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET'],
])
