/** Where to listen, and whom to trust: the addresses of gateway.yaml. */

import { isIP } from 'node:net'
import { z } from 'zod'
import { text } from './text.ts'

export type ListenAddress =
  { readonly host: string; readonly port: number } | { readonly path: string }

// sun_path holds 108 bytes on Linux with its closing NUL, and a longer path is cut silently.
const SOCKET_PATH_BYTES = 107

function readListen(value: string): ListenAddress | undefined {
  if (value.startsWith('unix:/')) return { path: value.slice('unix:'.length) }
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(value) ?? []
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined
  const host = bracketed ?? plain
  const port = Number(digits)
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

function findListenFault(value: string): string | undefined {
  const address = readListen(value)
  if (address === undefined) return 'expected host:port, [::]:port or unix:/path'
  if (!('path' in address)) return undefined
  if (Buffer.byteLength(address.path) <= SOCKET_PATH_BYTES) return undefined
  return `the path of a socket has at most ${SOCKET_PATH_BYTES} bytes`
}

function writeListen(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`
  return isIP(address.host) === 6
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`
}

/** `host:port`, `[::]:port` or `unix:/path`. Port 0 takes any free port. */
export function listen() {
  return z
    .codec(text('address', findListenFault), z.custom<ListenAddress>(), {
      decode: (value) => readListen(value) ?? z.NEVER,
      encode: writeListen,
    })
    .meta({ title: 'address' })
}

/** What is wrong with an IP address or CIDR block (RFC 4632, RFC 4291 §2.3). */
export function findNetworkFault(value: string): string | undefined {
  const message = 'expected an IP address or a CIDR block such as 10.0.0.0/8'
  const [, address = '', bits] = /^([\dA-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(value) ?? []
  const version = isIP(address)
  if (version === 0) return message
  const longest = version === 4 ? 32 : 128
  return Number(bits ?? 0) <= longest ? undefined : `the prefix has at most ${longest} bits`
}
