/**
 * The introspection endpoint of an authorization server (RFC 7662, RFC 9701), which answers from a
 * table that a test fills.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { FAULTS, json, type Fault } from './fault.ts'
import { isForm, readForm, type RecordedRequest } from './recorded-request.ts'
import type { Overrides } from './signer.ts'
import { refuse } from './token-endpoint.ts'

export interface IntrospectionEndpoint {
  /** What it was sent, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** Registers a token, valid but for what is replaced. Default is an opaque token of its own. */
  readonly issue: (claims?: Overrides, token?: string) => string
  /** Registers a token with exactly this answer. */
  readonly answer: (answer: object, token?: string) => string
  readonly revoke: (token: string) => void
  /** Answers with this status, or fails like this. */
  readonly behave: (behaviour: 'ok' | number | Fault) => void
  readonly signAnswers: (signing: Signing) => void
}

/** When answers are signed, and what is wrong with them. Default is a valid JWT where asked for. */
export interface Signing {
  readonly when?: 'asked' | 'always' | 'never'
  readonly header?: Overrides
  readonly claims?: Overrides
  /** Content-Type. */
  readonly type?: string
  /** Happens to the finished JWT. */
  readonly edit?: (jwt: string) => string | Promise<string>
}

interface Ports {
  readonly issuer: string
  readonly clientId: string
  readonly validClaims: () => object
  readonly sign: (payload: string, header: Overrides) => Promise<string>
  readonly authenticate: (request: RecordedRequest) => Promise<boolean>
}

interface Part {
  readonly endpoint: IntrospectionEndpoint
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

const SIGNED = 'application/token-introspection+jwt'

export function createIntrospectionEndpoint(ports: Ports): Part {
  const requests: RecordedRequest[] = []
  const answers = new Map<string, object>()
  let behaviour: 'ok' | number | Fault = 'ok'
  let signing: Signing = {}

  const answer: IntrospectionEndpoint['answer'] = (value, token = `opaque-${randomUUID()}`) => {
    answers.set(token, value)
    return token
  }

  async function respond(response: ServerResponse, request: RecordedRequest): Promise<void> {
    const document = answers.get(request.form.get('token') ?? '') ?? { active: false }
    if (typeof behaviour === 'number') {
      // With what would be the right answer, were it not for the status.
      response.statusCode = behaviour
      json(response, document)
    } else if (behaviour !== 'ok') {
      FAULTS[behaviour](response, document)
    } else if (!isForm(request) || !request.form.get('token')) {
      refuse(response, 400, 'invalid_request')
    } else if (!(await ports.authenticate(request))) {
      refuse(response, 401, 'invalid_client')
    } else if (isSigned(signing, request)) {
      const jwt = await signed(document, signing, ports)
      response.setHeader('content-type', signing.type ?? SIGNED).end(jwt)
    } else {
      json(response, document)
    }
  }

  return {
    endpoint: {
      requests,
      answer,
      issue: (claims, token) => answer({ ...ports.validClaims(), ...claims }, token),
      revoke: (token) => void answers.delete(token),
      behave(next) {
        behaviour = next
      },
      signAnswers(next) {
        signing = next
      },
    },
    async handle(incoming, response) {
      const request = await readForm(incoming)
      requests.push(request)
      await respond(response, request)
    },
  }
}

function isSigned({ when = 'asked' }: Signing, { headers }: RecordedRequest): boolean {
  if (when !== 'asked') return when === 'always'
  const [preferred] = (headers.accept ?? '').split(',')
  return preferred?.split(';')[0]?.trim() === SIGNED
}

/** RFC 9701 §5. */
async function signed(document: object, signing: Signing, ports: Ports): Promise<string> {
  const { header, claims, edit } = signing
  const payload = {
    iss: ports.issuer,
    aud: ports.clientId,
    iat: Math.floor(Date.now() / 1000),
    token_introspection: document,
    ...claims,
  }
  const type = { typ: 'token-introspection+jwt', ...header }
  const jwt = await ports.sign(JSON.stringify(payload), type)
  return edit === undefined ? jwt : edit(jwt)
}
