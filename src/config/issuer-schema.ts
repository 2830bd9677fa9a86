/** The keys of gateway.yaml that concern tokens and proofs: issuers, proof rules, nonces. */

import { z } from 'zod'
import { ALGORITHMS, type AlgorithmName } from '../jws/algorithms.ts'
import { Introspection } from './introspection-schema.ts'
import { duration } from './quantity.ts'
import { distinct, form, oneOrMore, text } from './text.ts'
import { findUrlFault } from './url.ts'

const Algorithm = z.enum(Object.keys(ALGORITHMS) as [AlgorithmName, ...AlgorithmName[]])

const name = text(
  'name',
  form(/^[A-Za-z0-9][\w.-]*$/, 'a name has letters, digits and . _ - and starts with no sign'),
)

const audience = z.codec(
  oneOrMore(text('text', form(/\S/, 'must not be empty'))),
  z.union([z.literal('none'), z.array(z.string())]),
  {
    decode: (value) => (value === 'none' || Array.isArray(value) ? value : [value]),
    encode: (value) => value,
  },
)

const Issuer = z.strictObject({
  issuer: text('URL', findUrlFault).describe(
    'URL of the authorization server, exactly as in the `iss` claim of its tokens. Its metadata ' +
      'is discovered from it. Must be https, or http on the loopback interface.',
  ),
  audience: audience.describe(
    'Accepted values of the `aud` claim, of which a token must hold one: a text or a list. ' +
      'The word `none` switches the check off, which is logged at start.',
  ),
  jwksUri: text('URL', findUrlFault)
    .optional()
    .describe('URL of the JSON Web Key Set. Left out: the one the metadata names.'),
  algorithms: distinct(Algorithm)
    .prefault([
      ...(['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const),
      ...(['EdDSA', 'RS256', 'RS384', 'RS512'] as const),
    ])
    .describe('Accepted signature algorithms of access tokens.'),
  tokenType: z
    .enum(['compatible', 'strict'])
    .default('compatible')
    .describe(
      'Accepted `typ` of access tokens. `strict`: at+jwt as in RFC 9068; `compatible`: JWT or ' +
        'none as well, with guards against ID tokens.',
    ),
  clockSkew: duration({ max: '1h' })
    .prefault('30s')
    .describe('Tolerated difference between the clocks of issuer and gateway.'),
  allowHttp: z
    .boolean()
    .default(false)
    .describe(
      'Whether plain http is used to another host than this one. For closed networks only: who ' +
        'can change the traffic can forge tokens. Logged at start.',
    ),
  introspection: Introspection.optional().describe(
    'Has tokens that are not JWTs checked by asking the issuer (RFC 7662). At most one issuer of ' +
      'a route may have it. Left out: such tokens are refused.',
  ),
})

/** By the operator's own names. */
export const Issuers = z.record(name, Issuer)

const proofRules = {
  algorithms: distinct(Algorithm).describe('Accepted signature algorithms of proofs.'),
  maxAge: duration({ min: '1s' }).describe('Oldest `iat` of a proof that is accepted.'),
  clockSkew: duration({ max: '1h' }).describe(
    'How far in the future `iat` of a proof may be. A used proof is remembered by that much ' +
      'longer than `maxAge`, for instances whose clock is behind.',
  ),
  nonce: z
    .enum(['off', 'required'])
    .describe(
      '`required`: a proof must hold a nonce of this gateway, which then says how fresh it is ' +
        'instead of `iat`, so that clients with a wrong clock get through; `off`: none is needed.',
    ),
}

/** The proof rules of one route: what is left out is as in `dpop`. */
export const ProofOverride = z.strictObject(proofRules).partial()

export const Proof = z.strictObject({
  algorithms: proofRules.algorithms.prefault([
    ...(['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const),
    ...(['EdDSA', 'Ed25519', 'RS256'] as const),
  ]),
  maxAge: proofRules.maxAge.prefault('60s'),
  clockSkew: proofRules.clockSkew.prefault('30s'),
  nonce: proofRules.nonce.default('off'),
})

const secret = text('text', form(/^.{32,}$/s, 'must have at least 32 characters'))

export const Nonce = z.strictObject({
  secrets: distinct(secret)
    .optional()
    .describe(
      'What nonces are made with, newest first: the first makes them, all are accepted. The same ' +
        'list on every instance. Left out: a random one, which only an instance that is alone ' +
        'can use.',
    ),
  lifetime: duration({ min: '10s', max: '1h' })
    .prefault('5m')
    .describe('How long a nonce is accepted. A new one is sent in the second half of that time.'),
})
