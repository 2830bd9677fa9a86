/** Opens the link in the way that is set up. */

import { createClusterLink } from './cluster-link.ts'
import type { Link, LinkOptions } from './link.ts'
import { createSingleLink } from './single-link.ts'

export function createLink(options: LinkOptions): Link {
  const { url, sentinel, cluster } = options.servers
  if ([url, sentinel, cluster].filter((it) => it !== undefined).length !== 1) {
    throw new Error('Redis needs one of url, sentinel and cluster')
  }
  return cluster ? createClusterLink(options) : createSingleLink(options)
}
