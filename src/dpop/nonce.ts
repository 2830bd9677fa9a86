/**
 * Nonces without a store (RFC 9449 §8, §9): the time they were made, and a keyed hash of it. Whoever
 * has the secret can make and check them, so any instance takes those of any other. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodeBase64url } from '../jws/base64url.ts'

export interface Nonces {
  /** The nonce to hand out now; the same within a second. `now` is in epoch seconds. */
  readonly current: (now: number) => string
  /** When a nonce was made, in epoch seconds, or undefined where it is not accepted now. */
  readonly madeAt: (nonce: string, now: number) => number | undefined
  /** The instant until which a nonce is accepted, or undefined where it is not accepted now. */
  readonly expiryOf: (nonce: string, now: number) => number | undefined
  /**
   * The nonce for the next proof after one that was accepted with `nonce` (RFC 9449 §8.2); undefined
   * in the first half of its life. So a client that goes on is never refused for its nonce.
   */
  readonly next: (nonce: string, now: number) => string | undefined
}

export interface NonceOptions {
  /** Newest first: the first one makes nonces, all of them are good for checking. */
  readonly secrets: readonly string[]
  readonly lifetimeSeconds: number
}

const TIME_BYTES = 6
const HASH_BYTES = 16
/** How far the clock of the instance that made a nonce may be ahead. */
const CLOCK_SKEW_SECONDS = 30
/** Of nonces that were found good. Clients share them: there is one for each second. */
const MAX_KNOWN = 1_000

export function createNonces({ secrets, lifetimeSeconds }: NonceOptions): Nonces {
  const [newest = ''] = secrets
  const known = new Map<string, number>()
  let latest = { madeAt: Number.NaN, nonce: '' }

  function timeOf(nonce: string): number | undefined {
    const before = known.get(nonce)
    if (before !== undefined) return before
    const found = readNonce(nonce, secrets)
    if (found === undefined) return undefined
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(nonce, found)
    return found
  }

  function current(now: number): string {
    if (latest.madeAt !== now) latest = { madeAt: now, nonce: makeNonce(now, newest) }
    return latest.nonce
  }

  function madeAt(nonce: string, now: number): number | undefined {
    const since = timeOf(nonce)
    if (since === undefined || since > now + CLOCK_SKEW_SECONDS) return undefined
    return now < since + lifetimeSeconds ? since : undefined
  }

  function expiryOf(nonce: string, now: number): number | undefined {
    const since = madeAt(nonce, now)
    return since === undefined ? undefined : since + lifetimeSeconds
  }

  return {
    current,
    madeAt,
    expiryOf,
    next(nonce, now) {
      // `now` counts whole seconds: when it is late by almost one, half of the life must be left.
      const leftSeconds = (expiryOf(nonce, now) ?? now) - now - 1
      return leftSeconds < lifetimeSeconds / 2 ? current(now) : undefined
    },
  }
}

/** Base64url, so within the NQCHAR of RFC 9449 §8.1. */
function makeNonce(now: number, secret: string): string {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeUIntBE(now, 0, TIME_BYTES)
  return Buffer.concat([time, hashOf(time, secret)]).toString('base64url')
}

function readNonce(nonce: string, secrets: readonly string[]): number | undefined {
  const bytes = decodeBase64url(nonce)
  if (bytes?.length !== TIME_BYTES + HASH_BYTES) return undefined
  const time = bytes.subarray(0, TIME_BYTES)
  const hash = bytes.subarray(TIME_BYTES)
  const isOurs = secrets.some((secret) => timingSafeEqual(hashOf(time, secret), hash))
  return isOurs ? time.readUIntBE(0, TIME_BYTES) : undefined
}

function hashOf(time: Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(time).digest().subarray(0, HASH_BYTES)
}
