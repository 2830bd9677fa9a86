/** Reads `replay.url`: redis://, rediss:// (TLS) or redis+unix:///path/to.sock. */

export interface Address {
  readonly options: {
    readonly username: string
    readonly password: string
    readonly db: number
    readonly host?: string
    readonly port?: number
    readonly path?: string
    readonly tls?: object
  }
  /** For logs: where the server is, without the user name and the password. */
  readonly name: string
}

// ioredis would read the URL itself, but lets every option be overridden by its query, and names
// the URL, password and all, in what it throws.
export function readAddress(text: string): Address {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^redis(s|\+unix)?:$/.test(url.protocol)) {
    throw new Error('the Redis URL is not of the form redis://, rediss:// or redis+unix://')
  }
  const unix = url.protocol === 'redis+unix:'
  const db = Number(unix ? url.searchParams.get('db') : url.pathname.slice(1))
  if (!Number.isSafeInteger(db) || db < 0) {
    throw new Error('the Redis URL names a database that is not a number')
  }
  const credentials = {
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    db,
  }
  if (unix) {
    const path = decodeURIComponent(url.pathname)
    return { options: { ...credentials, path }, name: path }
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || 6379)
  const tls = url.protocol === 'rediss:' ? { tls: {} } : {}
  return { options: { ...credentials, ...tls, host, port }, name: `${url.hostname}:${port}` }
}
