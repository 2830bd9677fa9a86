/** The gateway as it is shipped, with access log and metrics on. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AUDIENCE } from '../../test/support/jwks-server.ts'
import { GATEWAY } from '../../test/support/registered-client.ts'
import { folder } from '../process.ts'
import { freePort, serve, type Server } from './server.ts'

export interface GatewayOptions {
  readonly upstream: Server
  readonly issuer: string
  /** Where used proofs are remembered. Left out: in memory. */
  readonly redisUrl?: string | undefined
  /** Whether tokens that are not JWTs are introspected. */
  readonly introspects?: boolean
  readonly workers?: number
  /** Besides /orders/*, named /r0/* and so on. Default is none. */
  readonly routes?: number
  readonly connections?: number
  readonly cpus?: string | undefined
}

export async function startGateway(options: GatewayOptions): Promise<Server> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const file = join(folder, `gateway-${port}.yaml`)
  writeFileSync(file, configOf(options, port, adminPort))
  return serve(port, {
    file: process.execPath,
    args: ['dist/main.js', 'start', '--config', file],
    log: `gateway-${port}.log`,
    readyUrl: `http://127.0.0.1:${adminPort}/readyz`,
    cpus: options.cpus,
  })
}

function configOf(options: GatewayOptions, port: number, adminPort: number): string {
  const { issuer, redisUrl, introspects, workers = 1, routes = 0, connections = 20_000 } = options
  const upstream = `http://127.0.0.1:${options.upstream.port}`
  const { id, secret } = GATEWAY
  const auth = `{ method: client_secret_basic, clientId: ${id}, clientSecret: ${secret} }`
  const replay =
    redisUrl === undefined
      ? '{ store: memory }'
      : `{ store: redis, url: "${redisUrl}", timeout: 2s }`
  const route = (name: string, path: string) =>
    `  - { name: ${name}, path: ${path}, upstream: ${upstream}, scopes: [read] }`
  return [
    'server:',
    `  listen: 127.0.0.1:${port}`,
    `  publicUrl: http://127.0.0.1:${port}`,
    `  workers: ${workers}`,
    '  drain: { delay: 0s }',
    `  limits: { connections: ${connections} }`,
    `admin: { listen: 127.0.0.1:${adminPort} }`,
    `issuers:`,
    `  bench:`,
    `    issuer: ${issuer}`,
    `    audience: ${AUDIENCE}`,
    ...(introspects ? [`    introspection: { cacheFor: 5m, auth: ${auth} }`] : []),
    `replay: ${replay}`,
    'routes:',
    route('orders', '/orders/*'),
    ...Array.from({ length: routes }, (_, at) => route(`r${at}`, `/r${at}/*`)),
    '',
  ].join('\n')
}
