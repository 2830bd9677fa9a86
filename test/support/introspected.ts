import { AUDIENCE } from './jwks-server.ts'
import { GATEWAY, type RegisteredClient } from './registered-client.ts'

export interface Introspected {
  /** Default is AUDIENCE. */
  readonly audience?: string
  /** What the gateway authenticates as. Default is GATEWAY. */
  readonly client?: Partial<RegisteredClient>
  /** Members of `auth` besides method, clientId and clientSecret. */
  readonly auth?: Readonly<Record<string, string>>
  /** Members of `introspection` besides `auth`. */
  readonly introspection?: Readonly<Record<string, string | boolean>>
  readonly tokenType?: 'strict' | 'compatible'
}

/** YAML members of an issuer that is asked about tokens. JSON is YAML as well. */
export function introspected(options: Introspected = {}): string {
  const { audience = AUDIENCE, auth, introspection, tokenType = 'compatible' } = options
  const { method, id, secret } = { ...GATEWAY, ...options.client }
  const hasSecret = method !== 'private_key_jwt' && method !== 'none'
  const credentials = { method, clientId: id, ...(hasSecret && { clientSecret: secret }), ...auth }
  return [
    `audience: ${JSON.stringify(audience)}`,
    `tokenType: ${tokenType}`,
    `introspection: ${JSON.stringify({ ...introspection, auth: credentials })}`,
  ].join('\n')
}
