/**
 * Ed25519 public keys that a signature would prove nothing with. A point of small order verifies
 * one signature for many messages, and a non-canonical point is a second spelling of a key.
 */

const P = 2n ** 255n - 19n

/**
 * The y coordinates of the eight points of small order (RFC 7748 §7 gives the idea): of order 1, 2
 * and 4 they are 1, -1 and 0, of order 8 plus and minus the last.
 */
const Y_OF_ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
const SMALL_ORDER = new Set([0n, 1n, P - 1n, Y_OF_ORDER_8, P - Y_OF_ORDER_8])

/** Whether the 32 bytes are a canonical encoding (RFC 8032 §5.1.3) of a point of full order. */
export function isEd25519PointSafe(point: Buffer): boolean {
  const encoded = BigInt(`0x${Buffer.from(point).reverse().toString('hex')}`)
  const y = encoded & (2n ** 255n - 1n) // The topmost bit is the sign of x.
  return y < P && !SMALL_ORDER.has(y)
}
