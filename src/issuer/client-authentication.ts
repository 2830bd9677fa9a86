/** How the gateway says who it is at an endpoint of the issuer (RFC 6749 §2.3, RFC 7523 §2.2). */
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { SigningKey } from '../jws/signing-key.ts'

export interface ClientAuthentication {
  /** Adds to the form what belongs there, and gives the header fields. */
  readonly apply: (form: URLSearchParams) => Promise<Readonly<Record<string, string>>>
  /** After a 401: whether there is something new to try with, instead of the fields refused. */
  readonly renew?: (refused: Readonly<Record<string, string>>) => boolean
}

export interface ClientSecret {
  readonly clientId: string
  readonly clientSecret: string
}

/** RFC 6749 §2.3.1: both parts are form-urlencoded first, so that a colon can be part of either. */
export function createSecretBasic({ clientId, clientSecret }: ClientSecret): ClientAuthentication {
  const pair = `${formEncode(clientId)}:${formEncode(clientSecret)}`
  const headers = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  return { apply: () => Promise.resolve(headers) }
}

export function createSecretPost({ clientId, clientSecret }: ClientSecret): ClientAuthentication {
  return {
    apply(form) {
      form.set('client_id', clientId)
      form.set('client_secret', clientSecret)
      return Promise.resolve({})
    },
  }
}

/** Says at most which client asks, and proves nothing. */
export function createNoAuthentication(clientId: string | undefined): ClientAuthentication {
  return {
    apply(form) {
      if (clientId !== undefined) form.set('client_id', clientId)
      return Promise.resolve({})
    },
  }
}

export interface PrivateKeyJwt {
  readonly clientId: string
  readonly signingKey: SigningKey
  /** `aud` of the assertions. */
  readonly audience: string
}

const ASSERTION_SECONDS = 60

/** RFC 7523 §2.2: with an assertion signed for this one request. */
export function createPrivateKeyJwt(options: PrivateKeyJwt): ClientAuthentication {
  const { clientId, audience, signingKey } = options
  const { key, algorithm: alg, keyId: kid } = signingKey
  return {
    async apply(form) {
      const assertion = await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg, typ: 'JWT', ...(kid !== undefined && { kid }) })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${ASSERTION_SECONDS}s`)
        .sign(key)
      form.set('client_id', clientId)
      form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      form.set('client_assertion', assertion)
      return {}
    },
  }
}

/** application/x-www-form-urlencoded, of one value. */
function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1)
}
