/**
 * A configuration in which whatever is not well-formed counts as left out, for the rules that join
 * several keys.
 */
import { z } from 'zod'
import { isAlgorithmName } from '../jws/algorithms.ts'
import type { KeyPath } from './problem.ts'
import { Route } from './route-schema.ts'
import { findUrlFault } from './url.ts'

export const lenient = <Schema extends z.ZodType>(schema: Schema) =>
  schema.optional().catch(undefined)
const anything = z.unknown().optional()
const lenientText = lenient(z.string())
const webUrl = lenient(z.string().refine((value) => findUrlFault(value) === undefined))
const proofRules = z.object({ nonce: anything })
const cors = z.object({ origins: lenient(z.array(z.unknown())), credentials: anything })
const title = z.object({ name: anything, documentation: anything })
const identity = z.object({
  headers: lenient(z.record(z.string(), z.unknown())),
  assertion: lenient(z.object({ header: lenientText })),
})

const Auth = lenient(
  z.object({
    method: lenientText,
    clientId: anything,
    clientSecret: anything,
    privateKey: lenientText,
    algorithm: lenient(z.string().refine(isAlgorithmName)),
    keyId: anything,
    audience: anything,
    scope: anything,
    tokenEndpoint: webUrl,
  }),
)

export const Draft = z.object({
  issuers: lenient(
    z.record(
      z.string(),
      lenient(
        z.object({
          issuer: webUrl,
          jwksUri: webUrl,
          allowHttp: anything,
          introspection: lenient(z.object({ endpoint: webUrl, response: anything, auth: Auth })),
        }),
      ),
    ),
  ),
  server: lenient(
    z.object({ publicUrl: anything, tls: anything, http2: anything, workers: anything }),
  ),
  resource: lenient(title.extend({ metadata: anything })),
  replay: lenient(
    z.object({
      store: lenientText,
      url: anything,
      onOutage: lenientText,
      sentinel: anything,
      cluster: anything,
      tls: lenient(z.object({ cert: anything, key: anything })),
    }),
  ),
  dpop: lenient(proofRules),
  nonce: lenient(z.object({ secrets: anything })),
  identity: lenient(identity),
  assertion: lenient(z.object({ issuer: anything })),
  routes: lenient(
    z.array(
      lenient(
        z.object({
          name: lenient(Route.shape.name),
          host: lenient(Route.shape.host),
          path: lenient(Route.shape.path),
          methods: lenient(Route.shape.methods),
          upstream: lenient(Route.shape.upstream),
          upstreamTls: anything,
          stripPrefix: lenient(Route.shape.stripPrefix),
          access: lenientText,
          issuers: lenient(z.array(z.unknown())),
          identity: lenient(identity),
          scopes: anything,
          claims: anything,
          acr: anything,
          maxAuthAge: anything,
          observe: anything,
          debug: anything,
          websocket: anything,
          dpop: lenient(proofRules),
          cors: lenient(cors),
          resource: lenient(title),
        }),
      ),
    ),
  ),
})

export type Draft = z.output<typeof Draft>
export type DraftRoute = NonNullable<NonNullable<Draft['routes']>[number]>
export interface Placed {
  readonly path: KeyPath
  readonly route: DraftRoute
}
