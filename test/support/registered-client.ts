/**
 * The client an authorization server has registered for the gateway, and the check of its
 * credentials: as strict as the strictest server, so that a shortcut of ours shows.
 */
import { jwtVerify, type CryptoKey } from 'jose'
import type { RecordedRequest } from './recorded-request.ts'

export interface RegisteredClient {
  readonly method:
    'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'bearer' | 'none'
  readonly id: string
  readonly secret: string
  /** Of private_key_jwt. */
  readonly publicKey?: CryptoKey
  /** The only `aud` of its assertions. Default is the issuer. */
  readonly audience?: string
}

export interface Authentication {
  readonly client: RegisteredClient
  readonly issuer: string
  /** Whether the token endpoint has issued this token, and it still stands. */
  readonly isIssued: (token: string) => boolean
}

export const GATEWAY: RegisteredClient = {
  method: 'client_secret_basic',
  id: 'gateway',
  secret: 's3cret',
}

/** Whether the credentials are those registered, and no others beside them (RFC 6749 §2.3). */
export function createAuthentication({ client, issuer, isIssued }: Authentication) {
  const usedIds = new Set<string>()

  return async (request: RecordedRequest): Promise<boolean> => {
    const { form } = request
    const { authorization } = request.headers
    const inForm = secretsIn(form)
    switch (client.method) {
      case 'client_secret_basic':
        return hasBasic(request, client)
      case 'client_secret_post':
        return (
          authorization === undefined &&
          inForm.join() === 'client_secret' &&
          form.get('client_id') === client.id &&
          form.get('client_secret') === client.secret
        )
      case 'private_key_jwt':
        return (
          authorization === undefined &&
          inForm.join() === 'client_assertion' &&
          (await isAssertion(form, client, issuer, usedIds))
        )
      case 'bearer':
        return (
          inForm.length === 0 && isIssued(/^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '')
        )
      case 'none':
        return authorization === undefined && inForm.length === 0
    }
  }
}

/** RFC 6749 §2.3.1: both are form-urlencoded before they are joined. */
export function hasBasic({ headers, form }: RecordedRequest, client: RegisteredClient): boolean {
  const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(headers.authorization ?? '')?.[1] ?? ''
  const [, ...parts] = /^([^:]*):(.*)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  try {
    const [id, secret] = parts.map((part) => decodeURIComponent(part.replaceAll('+', ' ')))
    return id === client.id && secret === client.secret && secretsIn(form).length === 0
  } catch {
    return false
  }
}

function secretsIn(form: URLSearchParams): readonly string[] {
  return ['client_secret', 'client_assertion'].filter((name) => form.has(name))
}

/** RFC 7523 §3, OpenID Connect Core §9: `jti` is there and was not used before. */
async function isAssertion(
  form: URLSearchParams,
  { id, publicKey, audience }: RegisteredClient,
  issuer: string,
  used: Set<string>,
): Promise<boolean> {
  const assertion = form.get('client_assertion') ?? ''
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  if (!publicKey || form.get('client_assertion_type') !== type) return false
  try {
    const { payload } = await jwtVerify(assertion, publicKey, {
      issuer: id,
      subject: id,
      audience: audience ?? issuer,
      requiredClaims: ['exp', 'iat', 'jti'],
      maxTokenAge: 300,
    })
    const { jti = '', aud } = payload
    // RFC 7523 §3 takes an array as well, which some servers refuse.
    if (used.has(jti) || typeof aud !== 'string') return false
    used.add(jti)
    return true
  } catch {
    return false
  }
}
