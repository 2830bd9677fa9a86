/** Requests made before the clock starts: each with a proof of its own, to be sent once. */
import { randomBytes, randomUUID } from 'node:crypto'
import { encode, signCompact, type Caller } from './callers.ts'

export type Credentials = 'valid' | 'forged proof' | 'forged token' | 'none'

export interface RequestForm {
  /** Default is GET. */
  readonly method?: 'GET' | 'POST'
  /** Default is /orders/42. The number is the request's. */
  readonly pathOf?: (at: number) => string
  readonly body?: Buffer
  /** Default is valid. */
  readonly credentials?: Credentials
}

export interface Target {
  readonly port: number
  readonly callers: readonly Caller[]
}

export function makeRequests(
  { port, callers }: Target,
  { method = 'GET', pathOf = () => '/orders/42', body, credentials = 'valid' }: RequestForm,
  count: number,
): readonly Buffer[] {
  return Array.from({ length: count }, (_, at) => {
    const caller = callers[at % callers.length]
    if (!caller) throw new Error('no callers')
    const path = pathOf(at)
    const head = [
      `${method} ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'User-Agent: bench',
      'Accept: application/json',
      ...(body ? [`Content-Length: ${body.length}`] : []),
      ...credentialLines(caller, method, `http://127.0.0.1:${port}${path}`, credentials),
      '\r\n',
    ].join('\r\n')
    return body ? Buffer.concat([Buffer.from(head), body]) : Buffer.from(head)
  })
}

function credentialLines(
  caller: Caller,
  method: string,
  url: string,
  credentials: Credentials,
): readonly string[] {
  if (credentials === 'none') return []
  const token = credentials === 'forged token' ? forge(caller.token) : caller.token
  return [`Authorization: DPoP ${token}`, `DPoP: ${proofOf(caller, method, url, credentials)}`]
}

function proofOf(caller: Caller, htm: string, htu: string, credentials: Credentials): string {
  const { algorithm, privateKey, proofHeader, tokenHash: ath } = caller
  const iat = Math.floor(Date.now() / 1000)
  const input = `${proofHeader}.${encode({ jti: randomUUID(), htm, htu, iat, ath })}`
  if (credentials === 'valid') return signCompact(input, privateKey, algorithm)
  return forge(`${input}.`)
}

/** Right in form, so that only a verification can tell: what it costs an attacker is 64 random bytes. */
function forge(token: string): string {
  const signature = randomBytes(64)
  // Both numbers below the order of P-256, or the signature would be refused unseen.
  signature[0] = 1
  signature[32] = 1
  return token.slice(0, token.lastIndexOf('.') + 1) + signature.toString('base64url')
}
