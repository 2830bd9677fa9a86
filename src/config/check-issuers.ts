/** The rules that join keys of the issuers. */
import { readSigningKey } from '../jws/signing-key.ts'
import type { Draft } from './draft.ts'
import type { Fault, KeyPath } from './problem.ts'
import { isExposed } from './url.ts'

type DraftIssuer = NonNullable<NonNullable<Draft['issuers']>[string]>
type DraftIntrospection = NonNullable<DraftIssuer['introspection']>
type DraftAuth = NonNullable<DraftIntrospection['auth']>

export function checkIssuers({ issuers = {} }: Draft): readonly Fault[] {
  const names = new Map<string, string>()
  return Object.entries(issuers).flatMap(([name, issuer]) => {
    if (issuer === undefined) return []
    const path = ['issuers', name]
    const faults = [...checkUrls(issuer, path), ...checkIntrospection(issuer, path)]
    const twin = names.get(issuer.issuer ?? '')
    if (twin !== undefined) {
      const message = `is the issuer of issuers.${twin} already`
      faults.push({ path: [...path, 'issuer'], message })
    }
    if (issuer.issuer !== undefined) names.set(issuer.issuer, name)
    return faults
  })
}

function checkUrls(issuer: DraftIssuer, path: KeyPath): readonly Fault[] {
  if (issuer.allowHttp === true) return []
  const { introspection } = issuer
  const urls: readonly (readonly [url: string | undefined, where: KeyPath, harm: string])[] = [
    [issuer.issuer, ['issuer'], 'can forge tokens'],
    [issuer.jwksUri, ['jwksUri'], 'can forge tokens'],
    [introspection?.endpoint, ['introspection', 'endpoint'], 'sees and can vouch for tokens'],
    [
      introspection?.auth?.tokenEndpoint,
      ['introspection', 'auth', 'tokenEndpoint'],
      'sees the credentials of the gateway',
    ],
  ]
  return urls.flatMap(([url, where, harm]) => {
    if (url === undefined || !isExposed(url)) return []
    const message = `must be https: over http anybody on the way ${harm} (see allowHttp)`
    return [{ path: [...path, ...where], message }]
  })
}

function checkIntrospection({ introspection }: DraftIssuer, parent: KeyPath): readonly Fault[] {
  const auth = introspection?.auth
  if (!auth) return []
  const path = [...parent, 'introspection', 'auth']
  const faults = [...checkAuthKeys(auth, path), ...checkKey(auth, path)]
  if (introspection.response === 'jwt' && auth.method === 'none' && auth.clientId === undefined) {
    const message = 'this key is required with response: jwt, whose answers name it'
    faults.push({ path: [...path, 'clientId'], message })
  }
  return faults
}

interface AuthKeys {
  readonly required: readonly (keyof DraftAuth)[]
  readonly optional: readonly (keyof DraftAuth)[]
}

const SECRET: AuthKeys = { required: ['clientId', 'clientSecret'], optional: [] }
const AUTH_KEYS: Readonly<Record<string, AuthKeys>> = {
  client_secret_basic: SECRET,
  client_secret_post: SECRET,
  private_key_jwt: {
    required: ['clientId', 'privateKey'],
    optional: ['algorithm', 'keyId', 'audience'],
  },
  bearer: { ...SECRET, optional: ['scope', 'tokenEndpoint'] },
  none: { required: [], optional: ['clientId'] },
}

/** A key that is never used is worse than none: it reads as if it did something. */
function checkAuthKeys(auth: DraftAuth, path: KeyPath): readonly Fault[] {
  const { method } = auth
  const keys = method === undefined ? undefined : AUTH_KEYS[method]
  if (method === undefined || !keys) return []
  const allowed: readonly string[] = ['method', ...keys.required, ...keys.optional]
  const missing = keys.required.filter((key) => auth[key] === undefined)
  const useless = Object.entries(auth)
    .filter(([key, value]) => value !== undefined && !allowed.includes(key))
    .map(([key]) => key)
  return [
    ...missing.map((key) => ({
      path: [...path, key],
      message: `this key is required with method: ${method}`,
    })),
    ...useless.map((key) => ({
      path: [...path, key],
      message: `has no effect with method: ${method}`,
      atKey: true as const,
    })),
  ]
}

function checkKey({ privateKey, algorithm }: DraftAuth, path: KeyPath): readonly Fault[] {
  if (privateKey === undefined || privateKey === '') return []
  const key = readSigningKey(privateKey, algorithm)
  return typeof key === 'string' ? [{ path: [...path, 'privateKey'], message: key }] : []
}
