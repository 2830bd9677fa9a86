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

/** An address without the prefix that a dual-stack socket puts before IPv4 (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
