/** Where Redis is, and the ioredis options that lead there. */

import type { ConnectionOptions } from 'node:tls'
import { readAddress, readNode } from './address.ts'

/** One of `url`, `sentinel` and `cluster`. */
export interface RedisServers {
  /** redis://, rediss:// or redis+unix:// with credentials and database, if any. */
  readonly url?: string | undefined
  readonly sentinel?: SentinelServers | undefined
  readonly cluster?: ClusterServers | undefined
  /** For all connections. With a URL only where it begins with rediss://. */
  readonly tls?: RedisTls | undefined
}

interface Credentials {
  readonly username?: string | undefined
  readonly password?: string | undefined
}

interface SentinelServers extends Credentials {
  /** host:port of each Sentinel. */
  readonly hosts: readonly string[]
  /** What the Sentinels call the master. */
  readonly name: string
  readonly db?: number | undefined
  readonly sentinelUsername?: string | undefined
  readonly sentinelPassword?: string | undefined
}

interface ClusterServers extends Credentials {
  /** host:port of some nodes, of which one must be there to learn of the others. */
  readonly nodes: readonly string[]
}

interface RedisTls {
  /** PEM of the authorities to trust. Default are those of Node. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name in the certificates. Default is the host. */
  readonly serverName?: string | undefined
}

/** For logs: what is connected to, without credentials. */
export function nameServers({ url, sentinel, cluster }: RedisServers): string {
  if (sentinel) return `Redis ${sentinel.name} of Sentinel at ${sentinel.hosts.join(', ')}`
  if (cluster) return `Redis Cluster at ${cluster.nodes.join(', ')}`
  return `Redis at ${readAddress(url ?? '').name}`
}

/** The options of ioredis for one server, known by its URL or asked of the Sentinels. */
export function readSingle({ url, sentinel, tls }: RedisServers) {
  if (!sentinel) {
    const { options } = readAddress(url ?? '')
    return options.tls ? { ...options, tls: readTls(tls) } : options
  }
  const { hosts, name, username, password, db, sentinelUsername, sentinelPassword } = sentinel
  return {
    sentinels: hosts.map(readNode),
    name,
    username: username ?? '',
    password: password ?? '',
    db: db ?? 0,
    sentinelUsername: sentinelUsername ?? '',
    sentinelPassword: sentinelPassword ?? '',
    sentinelCommandTimeout: 1000,
    // Those of the list alone are asked: what they say of others may not be reachable from here.
    updateSentinels: false,
    ...(tls && { tls: readTls(tls), sentinelTLS: readTls(tls), enableTLSForSentinelMode: true }),
  }
}

/** The options of ioredis for each node of a cluster. */
export function readClusterNode({ cluster, tls }: RedisServers) {
  return {
    username: cluster?.username ?? '',
    password: cluster?.password ?? '',
    ...(tls && { tls: readTls(tls) }),
  }
}

/** Certificates are always verified. */
function readTls({ ca, cert, key, serverName }: RedisTls = {}): ConnectionOptions {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  }
}
