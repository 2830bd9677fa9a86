/** The keys of gateway.yaml that concern what the gateway signs for upstreams about the caller. */
import { z } from 'zod'
import { readSigningKey } from '../jws/signing-key.ts'
import { findHeaderNameFault } from './header-name.ts'
import { duration } from './quantity.ts'
import { distinct, form, text } from './text.ts'

const given = form(/\S/, 'must not be empty')

/** Claims the gateway sets itself, or that would say something else of an assertion than of a token. */
const TAKEN = new Set([
  ...['iss', 'aud', 'sub', 'client_id', 'scope', 'token_iss', 'cnf'],
  ...['iat', 'exp', 'nbf', 'jti'],
])

function findClaimFault(name: string): string | undefined {
  return TAKEN.has(name) ? 'the gateway itself sets this claim, or leaves it out' : undefined
}

export const DEFAULT_ASSERTION_HEADER = 'X-Auth-Assertion'

export const Assertion = z.strictObject({
  header: text('header name', findHeaderNameFault)
    .prefault(DEFAULT_ASSERTION_HEADER)
    .describe('Header it is sent in. What a client sends under this name is removed.'),
  audience: text('text', given).describe('`aud` of it: a name of the API that reads it.'),
  lifetime: duration({ min: '2s', max: '1h' })
    .prefault('30s')
    .describe(
      'How long it is valid, but never longer than the token. In the first half of that time it is ' +
        'sent with other requests of the same token too.',
    ),
  claims: distinct(text('claim', given, findClaimFault))
    .optional()
    .describe('Further claims of the token to hand on, as they are. Left out: none.'),
})

function findKeyFault(value: string): string | undefined {
  const key = readSigningKey(value, 'ES256')
  return typeof key === 'string' ? key : undefined
}

export const AssertionSigning = z.strictObject({
  issuer: text('text', given)
    .optional()
    .describe('`iss` of assertions. Left out: `server.publicUrl`, where that is one URL.'),
  keys: distinct(text('PEM or JWK', findKeyFault))
    .optional()
    .describe(
      'Private keys for ES256 (P-256): PKCS #8 as PEM, or a JWK. The first signs, all are published ' +
        'at `/jwks` of the admin listener. The same list on every instance. Left out: one made at ' +
        'start, which ends with the process.',
    ),
})
