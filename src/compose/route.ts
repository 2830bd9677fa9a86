/** A route of the configuration, compiled: nothing about it is worked out per request. */
import type { Assertions } from '../assertion.ts'
import type { Config, RouteConfig } from '../config/schema.ts'
import type { Nonces } from '../dpop/nonce.ts'
import type { ReplayStore } from '../dpop/replay.ts'
import { createGate, type Gate, type Ports } from '../gate.ts'
import { createChallenger } from '../http/challenge.ts'
import { createCors, type Cors } from '../http/cors.ts'
import type { RefusalRules } from '../http/refuse.ts'
import type { IdentityRules } from '../http/identity.ts'
import type { Route } from '../http/route.ts'
import type { Pools, UpstreamTls } from '../http/upstreams.ts'
import { withAliases } from '../jws/algorithms.ts'
import { createProofGate } from '../proof-gate.ts'
import { metadataUrls } from './resource.ts'
import type { VerifyToken } from '../token/access-token.ts'

/**
 * What is made from a part of the configuration that many routes have in common, such as `identity`,
 * is made once and shared by them, for as long as that part is in use.
 */
function shared<Part extends object, Made>(make: (part: Part) => Made): (part: Part) => Made {
  const known = new WeakMap<Part, Made>()
  return (part) => {
    const made = known.get(part) ?? make(part)
    known.set(part, made)
    return made
  }
}

const algorithmsOf = shared(withAliases)
const namesOf = shared((issuers: Config['issuers']) => new Set(Object.keys(issuers)))
const headersOf = shared((headers: RouteConfig['identity']['headers']) => Object.entries(headers))

/** The ports of all gates. Which function verifies a token depends on the route. */
export interface SharedPorts extends Omit<Ports, 'verifyToken'> {
  readonly verifierFor: (issuers: ReadonlySet<string>) => VerifyToken
  readonly nonces: Nonces
  readonly assertions: Assertions
  /** For proofs that come without a token. */
  readonly tokenless: ReplayStore
  /** How long a used proof is remembered, by its age: as long as any route takes it. */
  readonly rememberSeconds: number
}

export function compileRoute(
  route: RouteConfig,
  config: Config,
  ports: SharedPorts,
  pools: Pools,
): Route {
  const { name, host, path, stripPrefix, timeouts, access, observe } = route
  return {
    name,
    host,
    path,
    stripPrefix,
    methods: methodsOf(route),
    access,
    gate: compileGate(route, config, ports),
    observe,
    refusals: compileRefusals(route, config, ports),
    cors: compileCors(route),
    identity: compileIdentity(route, ports.assertions),
    upstreams: pools.group(route.upstream, timeouts.connect, upstreamTlsOf(route, config)),
    responseTimeoutMs: timeouts.response,
    idleTimeoutMs: timeouts.idle,
    websocket: route.websocket,
  }
}

function compileIdentity(
  { identity, observe }: RouteConfig,
  assertions: Assertions,
): IdentityRules {
  const { headers, token, assertion } = identity
  return {
    headers: headersOf(headers),
    token,
    // Whatever is too long to hand on, a route that only observes refuses nothing.
    ...(observe && { maxLength: Infinity }),
    assertion: assertion && {
      header: assertion.header,
      assert: assertions.createAssert({
        audience: assertion.audience,
        lifetimeSeconds: Math.floor(assertion.lifetime / 1000),
        claims: assertion.claims ?? [],
      }),
    },
  }
}

function compileRefusals(
  route: RouteConfig,
  config: Config,
  { nonces, clock }: SharedPorts,
): RefusalRules {
  const { access, dpop, scopes, debug } = route
  return {
    challenge: createChallenger({
      algorithms: algorithmsOf(dpop.algorithms),
      scopes,
      acceptsBearer: access === 'dpop-or-bearer',
      authentication: authenticationOf(route),
      metadataUrls: metadataUrls(route, config),
    }),
    nonce: dpop.nonce === 'required' ? () => nonces.current(clock()) : undefined,
    outageNonce: asksForNonceInOutage(config) ? () => nonces.current(clock()) : undefined,
    isTokenEndpoint: access === 'proof',
    debug,
  }
}

function compileGate(
  route: RouteConfig,
  config: Config,
  { verifierFor, nonces, tokenless, rememberSeconds, ...ports }: SharedPorts,
): Gate | undefined {
  const { access, dpop, scopes, claims } = route
  const { proofBytes, tokenBytes } = config.server.limits
  const proof = {
    algorithms: algorithmsOf(dpop.algorithms),
    maxAgeSeconds: dpop.maxAge / 1000,
    clockSkewSeconds: dpop.clockSkew / 1000,
    rememberSeconds,
    maxBytes: proofBytes,
    nonces: dpop.nonce === 'required' ? nonces : undefined,
    knownNonces: nonces,
    asksForNonceInOutage: asksForNonceInOutage(config),
  }
  if (access === 'public') return undefined
  if (access === 'proof') return createProofGate(proof, { ...ports, replays: tokenless })
  const issuers = route.issuers ? new Set(route.issuers) : namesOf(config.issuers)
  const policy = {
    ...{ issuers, scopes, claims, proof },
    authentication: authenticationOf(route),
    maxTokenBytes: tokenBytes,
    acceptsBearer: access === 'dpop-or-bearer',
  }
  return createGate(policy, { ...ports, verifyToken: verifierFor(issuers) })
}

function asksForNonceInOutage({ replay }: Config): boolean {
  return replay.store === 'redis' && replay.onOutage === 'nonce'
}

function compileCors(route: RouteConfig): Cors | undefined {
  const { cors } = route
  if (!cors) return undefined
  const maxAgeSeconds = Math.floor(cors.maxAge / 1000) // Browsers read whole numbers alone.
  return createCors({ ...cors, maxAgeSeconds, methods: methodsOf(route) })
}

function authenticationOf({ acr, maxAuthAge }: RouteConfig) {
  return {
    contexts: acr,
    maxAgeSeconds: maxAuthAge === undefined ? undefined : Math.ceil(maxAuthAge / 1000),
  }
}

function upstreamTlsOf({ upstreamTls }: RouteConfig, { pem }: Config): UpstreamTls {
  const { ca, serverName } = upstreamTls ?? {}
  return { ca: ca && pem.get(ca), serverName }
}

/** As nginx has it: who may GET may ask for the head of the answer alone. */
function methodsOf({ methods }: RouteConfig): ReadonlySet<string> | undefined {
  return methods && new Set(methods.flatMap((it) => (it === 'GET' ? ['GET', 'HEAD'] : [it])))
}
