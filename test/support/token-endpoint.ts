/** Where an authorization server issues tokens to the gateway itself (RFC 6749 §4.4). */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { FAULTS, json, type Fault } from './fault.ts'
import { isForm, readForm, type RecordedRequest } from './recorded-request.ts'
import { hasBasic, type RegisteredClient } from './registered-client.ts'

export interface TokenEndpoint {
  /** What it was sent, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** Seconds in `expires_in`, and after which a token is no longer taken; undefined: not told. */
  readonly setLifetime: (seconds: number | undefined) => void
  /** None of the tokens issued so far is taken any more. */
  readonly invalidate: () => void
  /** Answers with this status, or fails like this. */
  readonly behave: (behaviour: 'ok' | number | Fault) => void
}

interface Part {
  readonly endpoint: TokenEndpoint
  readonly isIssued: (token: string) => boolean
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

export function createTokenEndpoint(client: RegisteredClient): Part {
  const requests: RecordedRequest[] = []
  const issued = new Map<string, number>()
  let lifetime: number | undefined = 300
  let behaviour: 'ok' | number | Fault = 'ok'

  function issue() {
    const token = `gateway-${randomUUID()}`
    issued.set(token, performance.now() + 1000 * (lifetime ?? Infinity))
    return {
      access_token: token,
      token_type: 'Bearer',
      ...(lifetime !== undefined && { expires_in: lifetime }),
    }
  }

  return {
    endpoint: {
      requests,
      setLifetime(seconds) {
        lifetime = seconds
      },
      invalidate: () => {
        issued.clear()
      },
      behave(next) {
        behaviour = next
      },
    },
    isIssued: (token) => (issued.get(token) ?? 0) > performance.now(),
    async handle(incoming, response) {
      const request = await readForm(incoming)
      requests.push(request)
      if (typeof behaviour === 'number') {
        response.statusCode = behaviour
        json(response, issue())
      } else if (behaviour !== 'ok') {
        FAULTS[behaviour](response, issue())
      } else if (!isForm(request)) {
        refuse(response, 400, 'invalid_request')
      } else if (!hasBasic(request, client)) {
        refuse(response, 401, 'invalid_client')
      } else if (request.form.get('grant_type') !== 'client_credentials') {
        refuse(response, 400, 'unsupported_grant_type')
      } else {
        json(response, issue())
      }
    },
  }
}

/** RFC 6749 §5.2. */
export function refuse(response: ServerResponse, status: number, error: string): void {
  response.statusCode = status
  json(response, { error })
}
