/** What one configuration makes of requests. A reload puts another one in its place. */
import { compileAssertions } from '../assertion.ts'
import type { Config } from '../config/schema.ts'
import type { BoundKeys } from '../dpop/bound-key.ts'
import { createNonces, type Nonces } from '../dpop/nonce.ts'
import { createPublicOrigin } from '../http/origin.ts'
import { createProxy, type Proxy } from '../http/proxy.ts'
import type { Recorder } from '../http/record.ts'
import { createFindMetadata } from '../http/resource-metadata.ts'
import { createRoutes } from '../http/routes.ts'
import { createTrust } from '../http/trust.ts'
import { createUpgrade, type Upgrade } from '../http/upgrade.ts'
import { createPools } from '../http/upstreams.ts'
import type { WebSockets } from '../http/websocket/web-sockets.ts'
import type { Issuers } from './issuers.ts'
import type { Replays } from './replays.ts'
import { compileMetadata } from './resource.ts'
import { rememberSeconds } from './retention.ts'
import { compileRoute, type SharedPorts } from './route.ts'

/** What outlives a configuration. */
export interface RulesetParts {
  readonly recorder: Recorder
  readonly replays: Replays
  readonly boundKeys: BoundKeys
  readonly webSockets: WebSockets
  /** Makes nonces where the configuration names no secret. */
  readonly nonceSecret: string
  /** Signs assertions where the configuration names no key. */
  readonly assertionKey: string
  readonly isOverloaded: () => boolean
  /** Epoch seconds, whole. */
  readonly clock: () => number
}

export interface Ruleset {
  readonly config: Config
  readonly issuers: Issuers
  readonly proxy: Proxy
  readonly upgrade: Upgrade
  /** What its assertions are verified with, a JWK Set. */
  readonly keySet: string
  /** Resolves when the requests that came here are done, and lets go of what they needed. */
  readonly retire: () => Promise<void>
  /** Breaks off what is under way. */
  readonly destroy: () => Promise<void>
}

export function createRuleset(config: Config, issuers: Issuers, parts: RulesetParts): Ruleset {
  const { server } = config
  const { replays, boundKeys, recorder, isOverloaded, clock } = parts
  const pools = createPools()
  const assertions = compileAssertions(config, parts.assertionKey)
  const ports: SharedPorts = {
    verifierFor: issuers.verifierFor,
    replays: replays.store,
    tokenless: replays.tokenless,
    rememberSeconds: rememberSeconds(config),
    boundKeys,
    nonces: compileNonces(config.nonce, parts.nonceSecret),
    assertions,
    clock,
  }
  const options = {
    routes: createRoutes(config.routes.map((route) => compileRoute(route, config, ports, pools))),
    publicOrigin: createPublicOrigin(server.publicUrl),
    findMetadata: createFindMetadata(compileMetadata(config)),
    rules: {
      isTrusted: createTrust(server.trustedProxies),
      maxHeaderCount: server.limits.headerCount,
    },
    identityNames: identityNames(config),
    maxBodyBytes: server.limits.bodyBytes,
    recorder,
    isOverloaded,
    webSockets: parts.webSockets,
  }
  const proxy = createProxy(options)
  const upgrade = createUpgrade(options)
  const underWay = createUnderWay()
  return {
    config,
    issuers,
    keySet: assertions.keySet,
    proxy(message, response) {
      underWay.begin()
      response.once('close', underWay.end)
      return proxy(message, response)
    },
    // Once open a WebSocket needs nothing of all this.
    upgrade(message, socket, head) {
      underWay.begin()
      return upgrade(message, socket, head).finally(() => {
        underWay.end()
      })
    },
    async retire() {
      await underWay.over()
      await pools.destroy()
    },
    destroy: pools.destroy,
  }
}

function createUnderWay() {
  let count = 0
  let onOver: () => void = () => undefined
  return {
    begin: () => {
      count += 1
    },
    end: () => {
      count -= 1
      if (count === 0) onOver()
    },
    over: (): Promise<void> =>
      new Promise((resolve) => {
        onOver = resolve
        if (count === 0) resolve()
      }),
  }
}

function compileNonces({ secrets, lifetime }: Config['nonce'], own: string): Nonces {
  return createNonces({ secrets: secrets ?? [own], lifetimeSeconds: lifetime / 1000 })
}

/** Dropped from requests on every route, also where the route itself sets other names. */
function identityNames(config: Config): ReadonlySet<string> {
  const rules = [config.identity, ...config.routes.map(({ identity }) => identity)]
  const names = rules.flatMap(({ headers, assertion }) => [
    ...Object.keys(headers),
    ...(assertion ? [assertion.header] : []),
  ])
  return new Set(names.map((name) => name.toLowerCase()))
}
