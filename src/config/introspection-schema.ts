/** The keys of gateway.yaml that concern introspection (RFC 7662). */
import { z } from 'zod'
import { ALGORITHMS, type AlgorithmName } from '../jws/algorithms.ts'
import { duration } from './quantity.ts'
import { form, text } from './text.ts'
import { findUrlFault } from './url.ts'

const given = form(/\S/, 'must not be empty')

const ClientAuthentication = z.strictObject({
  method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'bearer', 'none'])
    .describe(
      'How the gateway says who it is: by its secret in a header or in the form, by an assertion ' +
        'it signs (RFC 7523), by an access token of its own (client credentials), or not at all.',
    ),
  clientId: text('text', given)
    .optional()
    .describe('The gateway, as the issuer knows it. Required but with `none`.'),
  clientSecret: text('text', given)
    .optional()
    .describe('Its secret, for `client_secret_basic`, `client_secret_post` and `bearer`.'),
  privateKey: text('PEM or JWK', given)
    .optional()
    .describe('Its private key, for `private_key_jwt`: PKCS #8 as PEM, or a JWK.'),
  algorithm: z
    .enum(Object.keys(ALGORITHMS) as [AlgorithmName, ...AlgorithmName[]])
    .optional()
    .describe('What it signs with. Left out: `alg` of the JWK, else the usual one for the key.'),
  keyId: text('text', given)
    .optional()
    .describe('`kid` of the assertions. Left out: that of the JWK, if it has one.'),
  audience: text('text', given)
    .optional()
    .describe('`aud` of the assertions. Left out: the issuer.'),
  scope: text('text', given)
    .optional()
    .describe('What the access token of the gateway is asked for with, for `bearer`.'),
  tokenEndpoint: text('URL', findUrlFault)
    .optional()
    .describe('Where that token comes from. Left out: what the metadata names.'),
})

export const Introspection = z.strictObject({
  endpoint: text('URL', findUrlFault)
    .optional()
    .describe('URL of the introspection endpoint. Left out: the one the metadata names.'),
  auth: ClientAuthentication.describe('How the gateway authenticates there.'),
  always: z
    .boolean()
    .default(false)
    .describe(
      'Whether the issuer is asked about its JWTs too, so that a revoked one is refused after ' +
        '`cacheFor` and not when it expires.',
    ),
  response: z
    .enum(['json', 'jwt'])
    .default('json')
    .describe('`jwt`: only answers signed by the issuer count (RFC 9701); `json`: plain ones.'),
  cacheFor: duration({ min: '0s', max: '1h' })
    .prefault('10s')
    .describe(
      'How long an answer is good for, but never past `exp`. A revoked token passes that much ' +
        'longer. `0s`: the issuer is asked at every request.',
    ),
  timeout: duration({ min: '10ms', max: '30s' })
    .prefault('2s')
    .describe('How long the issuer may take; after that the request is refused with 503.'),
})
