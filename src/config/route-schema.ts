/** The keys of gateway.yaml that concern a route: what it matches, demands and forwards. */

import { METHODS } from 'node:http'
import { z } from 'zod'
import { Assertion } from './assertion-schema.ts'
import { Cors } from './cors-schema.ts'
import { findHeaderNameFault } from './header-name.ts'
import { ProofOverride } from './issuer-schema.ts'
import { findPrefixFault, findRoutePathFault } from './path.ts'
import { duration } from './quantity.ts'
import { RouteResource } from './resource-schema.ts'
import { distinct, form, oneOrMore, text } from './text.ts'
import { UpstreamTls } from './tls-schema.ts'
import { findUrlFault, normaliseUrl } from './url.ts'

const claimName = text('claim', form(/\S/, 'must not be empty'))

const identityRules = {
  headers: z
    .record(text('header name', findHeaderNameFault), claimName)
    .describe(
      'Headers the upstream receives, each with its source: a claim of the token, or `cnf.jkt` ' +
        'for the thumbprint of its key. What a client sends under these names is removed.',
    ),
  token: z
    .enum(['drop', 'keep', 'bearer'])
    .describe(
      'What becomes of the access token. `drop`: the upstream never sees it; `keep`: ' +
        'Authorization goes on as received; `bearer`: it goes on with the scheme Bearer.',
    ),
  assertion: Assertion.optional().describe(
    'A signed statement about the caller for the upstream (JWT, ES256). Left out: none.',
  ),
}

/** The identity of one route: what is left out is as in `identity`. */
const IdentityOverride = z.strictObject(identityRules).partial()

export const Identity = z.strictObject({
  headers: identityRules.headers.prefault({
    'X-Auth-Subject': 'sub',
    'X-Auth-Client': 'client_id',
    'X-Auth-Scope': 'scope',
    'X-Auth-Issuer': 'iss',
    'X-Auth-Thumbprint': 'cnf.jkt',
  }),
  token: identityRules.token.default('drop'),
  assertion: identityRules.assertion,
})

/** Labels of the log and the metrics for what belongs to no route. */
function findLabelFault(name: string): string | undefined {
  const isTaken = name === 'none' || name === 'resource-metadata'
  return isTaken ? 'is a label of the gateway itself' : undefined
}

function findMethodFault(method: string): string | undefined {
  // RFC 9110 §9.1: methods are case-sensitive, so `get` is another method than GET.
  if (!METHODS.includes(method)) return 'expected an HTTP method in upper case, such as GET'
  if (method === 'TRACE' || method === 'CONNECT') return `${method} is never forwarded`
  return undefined
}

const hostname = form(
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
  'expected a host name in lower case, without a port',
)

// RFC 6749 §3.3: scope-token.
const scopeToken = form(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected one scope, without spaces')

const upstream = z.codec(oneOrMore(text('URL', findUrlFault)), z.array(z.string()), {
  decode: (value) => (Array.isArray(value) ? value : [value]).map(normaliseUrl),
  encode: (value) => value,
})

const claimValue = z
  .union([z.string(), z.number(), z.boolean()])
  .meta({ title: 'text, number or boolean' })
const claimValues = z.codec(oneOrMore(claimValue), z.array(claimValue), {
  decode: (value) => (Array.isArray(value) ? value : [value]),
  encode: (value) => value,
})

const Timeouts = z.strictObject({
  connect: duration({ min: '1ms' })
    .prefault('2s')
    .describe('How long the upstream may take to accept a connection.'),
  response: duration({ min: '1ms' })
    .prefault('30s')
    .describe('How long the upstream may take to begin its answer.'),
  idle: duration({ min: '1ms' })
    .prefault('60s')
    .describe('How long the answer may pause once begun.'),
})

export const Route = z.strictObject({
  name: text(
    'name',
    form(/^[\w.-]+$/, 'a name has only letters, digits and . _ -'),
    findLabelFault,
  ).describe('Name of your own, the label in logs and metrics. Unique.'),
  host: text('host name', hostname)
    .optional()
    .describe('Host name this route is for, in lower case. Left out: any.'),
  path: text('path', findRoutePathFault).describe(
    'Path this route is for: exact, with `:param` segments, or everything below with a ' +
      'trailing `/*`.',
  ),
  methods: distinct(text('method', findMethodFault))
    .optional()
    .describe('HTTP methods this route is for, in upper case. Left out: any.'),
  upstream: upstream.describe(
    'URL of the API behind this route, or a list of them to take turns. May carry a base path.',
  ),
  upstreamTls: UpstreamTls.optional().describe(
    'How the certificate of an https upstream is verified, which it always is. Left out: by the ' +
      'authorities Node comes with.',
  ),
  stripPrefix: text('path', findPrefixFault)
    .optional()
    .describe('Leading segments of `path` to leave out when forwarding. Left out: none.'),
  access: z
    .enum(['dpop', 'dpop-or-bearer', 'proof', 'public'])
    .default('dpop')
    .describe(
      '`dpop`: a bound token and a proof are needed; `dpop-or-bearer`: a token that is bound to no ' +
        'key gets through as a bearer token too, a bound one only with its proof; `proof`: a proof ' +
        'without a token, for a token endpoint behind the gateway; `public`: nothing is needed.',
    ),
  observe: z
    .boolean()
    .default(false)
    .describe(
      'Whether requests that would be refused get through all the same, to be counted and logged. ' +
        'For a migration alone: nothing is protected. Logged at start.',
    ),
  debug: z
    .boolean()
    .default(false)
    .describe(
      'Whether refusals say what was expected, what was received and how far the clocks are ' +
        'apart. For development: it tells an attacker the same.',
    ),
  issuers: distinct(z.string())
    .optional()
    .describe('Names of the issuers whose tokens are accepted. Left out: all.'),
  scopes: z
    .array(text('scope', scopeToken))
    .prefault([])
    .describe('Scopes a token must hold, all of them.'),
  claims: z
    .record(claimName, claimValues)
    .prefault({})
    .describe(
      'Claims a token must hold, each with its allowed values: a text, number or boolean, or a ' +
        'list of them. A claim that is a list itself passes if it holds one.',
    ),
  acr: z
    .array(text('text', form(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected one value, without spaces')))
    .prefault([])
    .describe(
      'Authentication context classes, of which `acr` of a token must be one (RFC 9470). Empty: any.',
    ),
  maxAuthAge: duration({ min: '1s' })
    .optional()
    .describe(
      'How long ago the user may have logged in, by `auth_time` (RFC 9470). Left out: ever.',
    ),
  dpop: ProofOverride.optional().describe('Proof rules of this route. Left out: as in `dpop`.'),
  identity: IdentityOverride.optional().describe(
    'What the upstream of this route learns. Left out: as in `identity`.',
  ),
  cors: Cors.optional().describe(
    'What pages of other origins may do. Preflights are then answered by the gateway, and what the ' +
      'upstream says about it is replaced. Left out: all is up to the upstream.',
  ),
  resource: RouteResource.optional().describe(
    'How this route describes itself to clients. Left out: as in `resource`.',
  ),
  timeouts: Timeouts.prefault({}).describe('How long the upstream may take.'),
  websocket: z
    .boolean()
    .default(false)
    .describe(
      'Whether the route takes WebSockets. One is decided on by its handshake, like a GET, closed ' +
        'when the token expires, and when nothing comes either way for `timeouts.idle`.',
    ),
})
