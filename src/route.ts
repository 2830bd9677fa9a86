/** A route of the configuration, compiled: nothing about it is worked out per request. */
import type { Config, RouteConfig } from './config/schema.ts'
import type { Nonces } from './dpop/nonce.ts'
import { createGate, createProofGate, type Gate, type Ports } from './gate.ts'
import { createChallenger } from './http/challenge.ts'
import type { RefusalRules } from './http/refuse.ts'
import type { Route } from './http/route.ts'
import type { Pools } from './http/upstreams.ts'
import { withAliases } from './jws/algorithms.ts'
import type { VerifyToken } from './token/access-token.ts'

/** The ports of all gates. Which function verifies a token depends on the route. */
export interface SharedPorts extends Omit<Ports, 'verifyToken'> {
  readonly verifierFor: (issuers: ReadonlySet<string>) => VerifyToken
  readonly nonces: Nonces
}

export function compileRoute(
  route: RouteConfig,
  config: Config,
  ports: SharedPorts,
  pools: Pools,
): Route {
  const { name, host, path, stripPrefix, timeouts, identity, access, observe } = route
  return {
    name,
    host,
    path,
    stripPrefix,
    methods: route.methods && withHead(route.methods),
    access,
    gate: compileGate(route, config, ports),
    observe,
    refusals: compileRefusals(route, ports),
    identity: { headers: Object.entries(identity.headers), token: identity.token },
    upstreams: pools.group(route.upstream, timeouts.connect),
    responseTimeoutMs: timeouts.response,
    idleTimeoutMs: timeouts.idle,
  }
}

function compileRefusals(route: RouteConfig, { nonces, clock }: SharedPorts): RefusalRules {
  const { access, dpop, scopes, debug } = route
  return {
    challenge: createChallenger({
      algorithms: withAliases(dpop.algorithms),
      scopes,
      acceptsBearer: access === 'dpop-or-bearer',
      authentication: authenticationOf(route),
    }),
    nonce: dpop.nonce === 'required' ? () => nonces.current(clock()) : undefined,
    isTokenEndpoint: access === 'proof',
    debug,
  }
}

function compileGate(
  route: RouteConfig,
  config: Config,
  { verifierFor, nonces, ...ports }: SharedPorts,
): Gate | undefined {
  const { access, dpop, scopes, claims } = route
  const { proofBytes, tokenBytes } = config.server.limits
  const proof = {
    algorithms: withAliases(dpop.algorithms),
    maxAgeSeconds: dpop.maxAge / 1000,
    clockSkewSeconds: dpop.clockSkew / 1000,
    rememberSeconds:
      Math.max(...config.routes.map((it) => it.dpop.maxAge + it.dpop.clockSkew)) / 1000,
    maxBytes: proofBytes,
    nonces: dpop.nonce === 'required' ? nonces : undefined,
  }
  if (access === 'public') return undefined
  if (access === 'proof') return createProofGate(proof, ports)
  const issuers = new Set(route.issuers ?? Object.keys(config.issuers))
  const policy = {
    ...{ issuers, scopes, claims, proof },
    authentication: authenticationOf(route),
    maxTokenBytes: tokenBytes,
    acceptsBearer: access === 'dpop-or-bearer',
  }
  return createGate(policy, { ...ports, verifyToken: verifierFor(issuers) })
}

function authenticationOf({ acr, maxAuthAge }: RouteConfig) {
  return {
    contexts: acr,
    maxAgeSeconds: maxAuthAge === undefined ? undefined : maxAuthAge / 1000,
  }
}

/** As nginx has it: who may GET may ask for the head of the answer alone. */
function withHead(methods: readonly string[]): ReadonlySet<string> {
  return new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))
}
