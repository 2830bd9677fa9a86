/**
 * What a trusted proxy says of the client's request, in `Forwarded` (RFC 7239) or `X-Forwarded-*`.
 * Of a list only the last member is read: that proxy added it, what comes before may be the
 * client's own.
 */
import { isIP } from 'node:net'
import { Denial } from '../denial.ts'
import { canonicalAuthority } from '../dpop/target.ts'
import { linesOf, listOf, type Fields } from './fields.ts'
import { readElements, type Element } from './forwarded-element.ts'
import { plainAddress, type IsTrusted } from './trust.ts'

export interface Forwarded {
  readonly scheme?: string
  readonly authority?: string
}

/** Some proxies name the scheme of a WebSocket by its own; its handshake is a request of HTTP. */
const SCHEMES: ReadonlyMap<string, string> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['ws', 'http'],
  ['wss', 'https'],
])

/** Throws `header_invalid` or `host_invalid` where the two families are malformed or disagree. */
export function readForwarded(fields: Fields): Forwarded {
  const element = elementsOf(fields).at(-1)
  const custom = fields.names.some((name) => CUSTOM.has(name))
  const read = (parameter: 'proto' | 'host') =>
    agreed(
      element?.get(parameter)?.toLowerCase(),
      listOf(fields, `x-forwarded-${parameter}`).at(-1)?.toLowerCase(),
      custom,
    )
  const proto = read('proto')
  const scheme = proto === undefined ? undefined : SCHEMES.get(proto)
  if (proto !== undefined && scheme === undefined) {
    throw new Denial('header_invalid', { detail: 'forwarded protocol' })
  }
  const host = read('host')
  const authority = host === undefined ? undefined : canonicalAuthority(host, scheme ?? 'http')
  if (host !== undefined && authority === undefined) {
    throw new Denial('host_invalid', { detail: 'forwarded host' })
  }
  return { ...(scheme && { scheme }), ...(authority && { authority }) }
}

/**
 * The address nearest to this gateway that is not a trusted proxy's, of `X-Forwarded-For` or, where
 * there is none, of the `for` in `Forwarded`. What is no address, as `unknown`, stays as it is.
 */
export function clientAddress(fields: Fields, peer: string, isTrusted: IsTrusted): string {
  const custom = listOf(fields, 'x-forwarded-for')
  const standard = () => elementsOf(fields).map((element) => element.get('for') ?? 'unknown')
  const hops = (custom.length > 0 ? custom : standard()).map(nodeAddress)
  const client = hops.findLast((address) => isIP(address) === 0 || !isTrusted(address))
  return client ?? hops[0] ?? peer
}

const CUSTOM: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
])

/**
 * Two proxies in front may each write one family. One that writes `X-Forwarded-*` may pass on what
 * a client has put into `Forwarded`, so what only that says is not believed beside them.
 */
function agreed(
  standard: string | undefined,
  custom: string | undefined,
  isCustomWritten: boolean,
): string | undefined {
  if (standard !== undefined && custom !== undefined && standard !== custom) {
    throw new Denial('header_invalid', { detail: 'Forwarded and X-Forwarded-* disagree' })
  }
  return isCustomWritten ? custom : standard
}

/** An address without its port and brackets (RFC 7239 §6). */
function nodeAddress(node: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\w+)?$/.exec(node) ?? []
  return plainAddress(bracketed ?? plain ?? node)
}

/** Throws `header_invalid`: what is malformed could hide the element that the proxy has added. */
function elementsOf(fields: Fields): readonly Element[] {
  const lines = linesOf(fields, 'forwarded')
  const elements = lines.map(readElements)
  if (elements.includes(undefined)) throw new Denial('header_invalid', { detail: 'Forwarded' })
  return elements.flatMap((line) => line ?? [])
}
