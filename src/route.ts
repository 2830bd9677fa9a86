/** A route of the configuration, compiled: nothing about it is worked out per request. */
import type { Config, RouteConfig } from './config/schema.ts'
import { createGate, type Gate, type Ports } from './gate.ts'
import { createChallenger } from './http/challenge.ts'
import type { Route } from './http/route.ts'
import type { Pools } from './http/upstreams.ts'
import { withAliases } from './jws/algorithms.ts'
import type { VerifyToken } from './token/access-token.ts'

/** The ports of all gates. Which function verifies a token depends on the route. */
export interface SharedPorts extends Omit<Ports, 'verifyToken'> {
  readonly verifierFor: (issuers: ReadonlySet<string>) => VerifyToken
}

export function compileRoute(
  route: RouteConfig,
  config: Config,
  ports: SharedPorts,
  pools: Pools,
): Route {
  const { name, host, path, stripPrefix, timeouts, identity, dpop, scopes } = route
  return {
    name,
    host,
    path,
    stripPrefix,
    methods: route.methods && withHead(route.methods),
    gate: route.access === 'public' ? undefined : compileGate(route, config, ports),
    challenge: createChallenger(withAliases(dpop.algorithms), scopes),
    identity: { headers: Object.entries(identity.headers), token: identity.token },
    upstreams: pools.group(route.upstream, timeouts.connect),
    responseTimeoutMs: timeouts.response,
    idleTimeoutMs: timeouts.idle,
  }
}

function compileGate(route: RouteConfig, config: Config, shared: SharedPorts): Gate {
  const { dpop, scopes, claims } = route
  const { proofBytes, tokenBytes } = config.server.limits
  const proof = {
    algorithms: withAliases(dpop.algorithms),
    maxAgeSeconds: dpop.maxAge / 1000,
    clockSkewSeconds: dpop.clockSkew / 1000,
    rememberSeconds:
      Math.max(...config.routes.map((it) => it.dpop.maxAge + it.dpop.clockSkew)) / 1000,
    maxBytes: proofBytes,
  }
  const issuers = new Set(route.issuers ?? Object.keys(config.issuers))
  const ports = { ...shared, verifyToken: shared.verifierFor(issuers) }
  return createGate({ issuers, scopes, claims, proof, maxTokenBytes: tokenBytes }, ports)
}

/** As nginx has it: who may GET may ask for the head of the answer alone. */
function withHead(methods: readonly string[]): ReadonlySet<string> {
  return new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))
}
