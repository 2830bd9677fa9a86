/**
 * Reads `replay.url`: redis://, rediss:// (TLS) or redis+unix:///path/to.sock, and the host:port of
 * Sentinels and nodes. The configuration asks this file as well, so what `check` accepts is what
 * `start` can use.
 */

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

const FORM = 'expected redis://host:port, rediss://host:port or redis+unix:///path'

/** What a URL of a socket says in its query, as it has no place for it elsewhere. */
const QUERY_KEYS = ['db', 'username', 'password']

/** What is wrong with the URL of a Redis server. Repeats nothing of it, as it may hold a password. */
export function findAddressFault(text: string): string | undefined {
  if (!/^redis(s|\+unix)?:\/\//.test(text)) return FORM
  if (!URL.canParse(text)) return `${FORM}; a password needs %-encoding`
  const url = new URL(text)
  if (text.includes('#')) return 'must not have a fragment; a password needs %-encoding'
  if (![url.username, url.password, url.pathname].every(isDecodable)) {
    return 'has a % that encodes nothing: write %25 for the character itself'
  }
  return url.protocol === 'redis+unix:' ? findSocketFault(url) : findServerFault(url, text)
}

function findServerFault({ hostname, pathname }: URL, text: string): string | undefined {
  if (hostname === '') return FORM
  if (text.includes('?')) return 'must not have a query; a password needs %-encoding'
  return /^(\/\d{0,9})?$/.test(pathname) ? undefined : 'the path must be a database number'
}

function findSocketFault(url: URL): string | undefined {
  if (url.pathname.length <= 1 || url.host !== '') return FORM
  const query = queryOf(url)
  const keys = [...query.keys()]
  if (keys.some((key, at) => !QUERY_KEYS.includes(key) || keys.indexOf(key) !== at)) {
    return `the query may hold ${QUERY_KEYS.join(', ')}, each once, and nothing else`
  }
  return /^\d{1,9}$/.test(query.get('db') ?? '0') ? undefined : 'db must be a database number'
}

// ioredis would read the URL itself, but lets every option be overridden by its query, and names
// the URL, password and all, in what it throws.
export function readAddress(text: string): Address {
  const fault = findAddressFault(text)
  if (fault !== undefined) throw new Error(`the Redis URL cannot be used: ${fault}`)
  const url = new URL(text)
  if (url.protocol === 'redis+unix:') {
    const path = decodeURIComponent(url.pathname)
    const query = queryOf(url)
    const [username, password] = [query.get('username') ?? '', query.get('password') ?? '']
    return { options: { username, password, db: Number(query.get('db')), path }, name: path }
  }
  const options = {
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    db: Number(url.pathname.slice(1)),
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  }
  return { options, name: `${url.hostname}:${options.port}` }
}

/** What is wrong with the host:port of a Sentinel or a node of a cluster. */
export function findNodeFault(text: string): string | undefined {
  const [, digits] = /^(?:\[[\dA-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(text) ?? []
  const isNode = URL.canParse(`redis://${text}`) && Number(digits) > 0 && Number(digits) < 65_536
  return isNode ? undefined : 'expected host:port'
}

export function readNode(text: string): { readonly host: string; readonly port: number } {
  if (findNodeFault(text) !== undefined) throw new Error('the address of a node must be host:port')
  const colon = text.lastIndexOf(':')
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(text.slice(colon + 1)),
  }
}

/** In a query + stands for a space only in forms, and a password may well hold one. */
function queryOf({ search }: URL): URLSearchParams {
  return new URLSearchParams(search.replaceAll('+', '%2B'))
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
