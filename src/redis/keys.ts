/**
 * The names of what is kept in Redis. In a cluster they are put into groups, each of which stays
 * together on one node (the part in braces), with a marker of its own in each.
 */

export interface Keys {
  /** All there are. */
  readonly markers: readonly string[]
  /** The key for a hash in base64url, and the marker that is kept where it is. */
  of(hash: string): { readonly key: string; readonly marker: string }
}

const LETTERS = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')

export function createKeys(prefix: string, isCluster: boolean): Keys {
  const groupOf = (letter: string) => (isCluster ? `${prefix}{${letter}}:` : prefix)
  const markerOf = (letter: string) => `${groupOf(letter)}epoch`
  return {
    markers: isCluster ? LETTERS.map(markerOf) : [markerOf('')],
    of(hash) {
      const letter = hash.charAt(0)
      return { key: groupOf(letter) + hash, marker: markerOf(letter) }
    },
  }
}
