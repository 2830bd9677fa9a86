/** Requests made before the clock starts: each valid, with a proof of its own, to be sent once. */
import { createHash, createPrivateKey, randomUUID, sign, type KeyObject } from 'node:crypto'
import { exportPKCS8 } from 'jose'
import { createClient, type Client } from '../test/support/client.ts'
import type { Overrides } from '../test/support/jwks-server.ts'

export interface Caller {
  readonly client: Client
  readonly key: KeyObject
  readonly token: string
}

/** Clients with an ES256 key and a token of their own. */
export function createCallers(
  count: number,
  issue: (claims: Overrides) => string | Promise<string>,
): Promise<readonly Caller[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await createClient()
      const exp = Math.floor(Date.now() / 1000) + 3600
      return {
        client,
        // node:crypto signs a proof in a quarter of the time WebCrypto takes.
        key: createPrivateKey(await exportPKCS8(client.privateKey)),
        token: await issue({ exp, cnf: { jkt: client.thumbprint } }),
      }
    }),
  )
}

export function signRequests(
  callers: readonly Caller[],
  port: number,
  count: number,
): readonly Buffer[] {
  return Array.from({ length: count }, (_, at) => {
    const caller = callers[at % callers.length]
    if (!caller) throw new Error('no callers')
    return requestOf(caller, port)
  })
}

function requestOf({ client, key, token }: Caller, port: number): Buffer {
  const path = '/orders/42'
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: client.publicJwk }
  const claims = {
    jti: randomUUID(),
    htm: 'GET',
    htu: `http://127.0.0.1:${port}${path}`,
    iat: Math.floor(Date.now() / 1000),
    ath: createHash('sha256').update(token).digest('base64url'),
  }
  const input = `${encode(header)}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  const proof = `${input}.${signature.toString('base64url')}`
  return Buffer.from(
    [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'User-Agent: bench',
      'Accept: application/json',
      `Authorization: DPoP ${token}`,
      `DPoP: ${proof}`,
      '\r\n',
    ].join('\r\n'),
  )
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
