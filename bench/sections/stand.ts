/** What the subjects of a section share: an issuer, clients, an upstream, Redis. */
import { createCallers, createIssuer, type Issuer } from '../callers.ts'
import { startRedis, redisMissing, type TestRedis } from '../../test/support/redis.ts'
import type { Owner } from '../../test/support/owner.ts'
import { placeProcesses, type Placement } from '../machine.ts'
import { CONNECTIONS } from '../measure.ts'
import { startGateway, type GatewayOptions } from '../servers/gateway.ts'
import { startUpstream, type Upstream } from '../servers/nginx.ts'
import type { Server } from '../servers/server.ts'
import type { Everyone } from './works.ts'

export interface Stand {
  readonly issuer: Issuer
  readonly upstream: Upstream
  /** Undefined where none is installed. */
  readonly redis: TestRedis | undefined
  readonly placement: Placement
  readonly gateway: (options?: Partial<GatewayOptions>) => Promise<Server>
  /** Stops it at the end. */
  readonly keep: <T extends Server>(server: T) => T
}

/** RSA keys take long to make, and a few do as well. */
const RSA_KEYS = 8

export async function createStand(owner: Owner): Promise<Stand> {
  const placement = placeProcesses()
  const keep: Stand['keep'] = (server) => {
    owner.teardown(() => server.stop())
    return server
  }
  const issuer = await createIssuer(owner)
  const upstream = keep(await startUpstream())
  const redis = redisMissing === false ? await startRedis(owner) : undefined
  const common = { upstream, issuer: issuer.authority.issuer, cpus: placement.subject }
  return {
    ...{ issuer, upstream, redis, placement, keep },
    gateway: async (options) => keep(await startGateway({ ...common, ...options })),
  }
}

export function createEveryone({ mint, issueOpaque }: Issuer): Everyone {
  return {
    ES256: createCallers(CONNECTIONS, mint),
    EdDSA: createCallers(CONNECTIONS, mint, 'EdDSA'),
    RS256: createCallers(RSA_KEYS, mint, 'RS256'),
    opaque: createCallers(CONNECTIONS, issueOpaque),
  }
}
