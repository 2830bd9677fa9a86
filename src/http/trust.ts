/** Which peers are believed when they say what the client asked for (`server.trustedProxies`). */
import { BlockList, isIP, isIPv6 } from 'node:net'

/** Whether an IP address belongs to a trusted proxy. */
export type IsTrusted = (address: string) => boolean

/** `ranges` are CIDRs or single addresses. With none, nobody is trusted. */
export function createTrust(ranges: readonly string[]): IsTrusted {
  if (ranges.length === 0) return () => false
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  // Of the peer of a Unix socket there is no address.
  return (address) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/**
 * An address without the prefix that a dual-stack socket puts before IPv4 (RFC 4291 §2.5.5.2), and
 * without the zone of one that is valid on a link only (RFC 4007 §11).
 */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address // IPv4, as most are: nothing to take away.
  const [plain = ''] = isIPv6(address) ? address.split('%', 1) : [address]
  if (!/^::ffff:/i.test(plain)) return plain
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(plain) ?? []
  if (high === undefined || low === undefined) return plain.includes('.') ? plain.slice(7) : plain
  return [high, low].flatMap((word) => octetsOf(Number.parseInt(word, 16))).join('.')
}

function octetsOf(word: number): number[] {
  return [word >> 8, word & 0xff]
}
