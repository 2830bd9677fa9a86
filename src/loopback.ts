/** Whether a host is this machine: the one to which plain http cannot be read or changed on the way. */

// Of URL.hostname, which writes every spelling of an IPv4 address as four numbers. RFC 6761 §6.3
// keeps all names below localhost on the loopback interface.
const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

export function isLoopback({ hostname }: URL): boolean {
  return LOOPBACK.test(hostname)
}
