/** What the gateway is compared with: other ways to check DPoP in front of an API. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AUDIENCE } from '../../test/support/jwks-server.ts'
import { apacheMissing, startApache } from './apache.ts'
import { freePort, serve, type Server } from './server.ts'

export interface PeerOptions {
  readonly upstream: Server
  readonly issuer: string
  /** Left out: its own memory. */
  readonly redisPort?: number | undefined
  readonly cpus?: string | undefined
}

export interface Peer {
  readonly id: string
  readonly name: string
  readonly store: 'memory' | 'redis' | 'none'
  /** Why it cannot be measured; undefined where it can. */
  readonly missing: string | undefined
  readonly start: (options: PeerOptions) => Promise<Server>
}

const FOLDER = join(import.meta.dirname, '../peers')

/** Installs the peers of npm where they are not, beside the benchmark. */
export function findPeers(say: (line: string) => void): readonly Peer[] {
  const npmMissing = installNpmPeers(say)
  const ofNpm = (file: string): Pick<Peer, 'store' | 'missing' | 'start'> => ({
    store: 'none',
    missing: npmMissing,
    start: (options) => startNodePeer(file, options),
  })
  const ofApache = { missing: apacheMissing, start: startApache }
  return [
    {
      id: 'apache-shm',
      name: 'Apache mod_oauth2, memory of 1,000 proofs',
      store: 'memory',
      ...ofApache,
    },
    { id: 'apache-redis', name: 'Apache mod_oauth2, Redis', store: 'redis', ...ofApache },
    {
      id: 'express',
      name: 'Express + express-oauth2-jwt-bearer + http-proxy-middleware, no replay check',
      ...ofNpm('express.js'),
    },
    {
      id: 'oauth4webapi',
      name: 'oauth4webapi + http-proxy, no replay check',
      ...ofNpm('oauth4webapi.js'),
    },
  ]
}

function installNpmPeers(say: (line: string) => void): string | undefined {
  if (existsSync(join(FOLDER, 'node_modules/express-oauth2-jwt-bearer'))) return undefined
  say('installing the peers of npm')
  const flags = ['--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts']
  const { status } = spawnSync('npm', ['install', '--prefix', FOLDER, ...flags], {
    timeout: 120_000,
  })
  return status === 0 ? undefined : 'npm could not install it (bench/peers/package.json)'
}

async function startNodePeer(
  file: string,
  { upstream, issuer, cpus }: PeerOptions,
): Promise<Server> {
  const port = await freePort()
  return serve(port, {
    file: process.execPath,
    args: [join(FOLDER, file)],
    env: {
      NODE_ENV: 'production',
      PORT: String(port),
      UPSTREAM: `http://127.0.0.1:${upstream.port}`,
      ISSUER: issuer,
      AUDIENCE,
    },
    log: `${file}-${port}.out`,
    readyUrl: `http://127.0.0.1:${port}/`,
    readyStatus: 401,
    cpus,
  })
}
