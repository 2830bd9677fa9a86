/** What docker-compose.yml runs, as processes on this machine and with the same configuration. */
import type { Server } from 'node:http'
import type { Test } from 'tap'
import { createClient, type DemoClient } from '../../demo/client.ts'
import { startIssuer } from '../../demo/issuer.ts'
import { choosePort } from '../../demo/listen.ts'
import { startGateway, type GatewayProcess } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

export interface Topology {
  readonly gateways: readonly [GatewayProcess, GatewayProcess]
  readonly upstream: Upstream
  readonly client: DemoClient
  /** Where clients call. Nobody listens there yet. */
  readonly publicUrl: string
}

export async function createTopology(t: Test): Promise<Topology> {
  const redis = await startRedis(t, ['--maxmemory', '256mb', '--maxmemory-policy', 'noeviction'])
  const upstream = await startUpstream(t)
  const publicUrl = `http://localhost:${await choosePort(0)}`
  const port = await choosePort(0)
  const issuer = `http://localhost:${port}`
  closeAfter(t, await startIssuer({ issuer, audience: publicUrl, port }))

  const environment = {
    GATEWAY_LISTEN: '127.0.0.1:0',
    ADMIN_LISTEN: '127.0.0.1:0',
    PUBLIC_URL: publicUrl,
    LOAD_BALANCER: '127.0.0.1',
    ISSUER: issuer,
    JWKS_URI: `${issuer}/jwks`,
    REDIS_URL: redis.url,
    // All of it shares the processors of this machine: what comes late is no outage.
    REPLAY_TIMEOUT: '5s',
    UPSTREAM: upstream.url,
  }
  const start = () => startGateway(t, 'deploy/gateway.yaml', environment)
  const gateways = await Promise.all([start(), start()])
  await Promise.all(gateways.map((gateway) => gateway.untilReady()))
  return { gateways, upstream, publicUrl, client: await createClient(issuer, publicUrl) }
}

export function closeAfter(t: Test, server: Server): void {
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
}
