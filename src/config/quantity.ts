/** Durations (`60s`) and sizes (`16KiB`) as they stand in gateway.yaml, and as numbers in the code. */

import { z } from 'zod'

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

type Units = Readonly<Record<string, number>>

/** Reads `60s` as 60000. The schema has checked the form: another text is a bug and gives NaN. */
function amountOf(text: string, units: Units): number {
  const [, amount, unit = ''] = /^(\d+)([A-Za-z]+)$/.exec(text) ?? []
  return Number(amount) * (units[unit] ?? Number.NaN)
}

/** Writes 60000 as `1m`: the largest unit that divides it. */
function textOf(amount: number, units: Units): string {
  const fitting = Object.entries(units).filter(([, factor]) => amount % factor === 0)
  const [unit, factor] = fitting.at(amount === 0 ? 0 : -1) ?? ['', 1]
  return `${amount / factor}${unit}`
}

/**
 * A duration such as `150ms`, `60s`, `5m` or `1h`; milliseconds in the code.
 *
 * `min` is 0s and `max` 24h if left out: Node fires a timer of more than 24.8 days at once.
 */
export function duration({ min = '0ms', max = '24h' } = {}) {
  const form = 'expected a duration such as 150ms, 60s, 5m or 1h'
  return z
    .codec(
      z.string({ error: form }).regex(/^\d{1,9}(ms|s|m|h)$/, form),
      z
        .number()
        .min(amountOf(min, MILLISECONDS), `must be at least ${min}`)
        .max(amountOf(max, MILLISECONDS), `must be at most ${max}`),
      {
        decode: (text) => amountOf(text, MILLISECONDS),
        encode: (amount) => textOf(amount, MILLISECONDS),
      },
    )
    .meta({ title: 'duration' })
}

/** A duration, or `none`, which is Infinity in the code: a comparison then needs no special case. */
export function durationOrNone({ min = '0ms', max = '24h' } = {}) {
  const form = 'expected a duration such as 150ms, 60s, 5m or 1h, or none'
  return z
    .codec(
      z.string({ error: form }).regex(/^(none|\d{1,9}(ms|s|m|h))$/, form),
      z.union([
        z
          .number()
          .min(amountOf(min, MILLISECONDS), `must be at least ${min}`)
          .max(amountOf(max, MILLISECONDS), `must be at most ${max}`),
        z.literal(Infinity),
      ]),
      {
        decode: (text) => (text === 'none' ? Infinity : amountOf(text, MILLISECONDS)),
        encode: (amount) => (amount === Infinity ? 'none' : textOf(amount, MILLISECONDS)),
      },
    )
    .meta({ title: 'duration or none' })
}

/** A size such as `512B`, `16KiB`, `1MiB` or `2GiB`; bytes in the code. */
export function size({ min, max }: { readonly min: string; readonly max: string }) {
  const form = 'expected a size such as 512B, 16KiB or 1MiB'
  return z
    .codec(
      z.string({ error: form }).regex(/^\d{1,9}(B|KiB|MiB|GiB)$/, form),
      z
        .number()
        .min(amountOf(min, BYTES), `must be at least ${min}`)
        .max(amountOf(max, BYTES), `must be at most ${max}`),
      { decode: (text) => amountOf(text, BYTES), encode: (amount) => textOf(amount, BYTES) },
    )
    .meta({ title: 'size' })
}

/** A size, or `none`, which is Infinity in the code: a comparison then needs no special case. */
export function sizeOrNone() {
  const form = 'expected a size such as 512B, 16KiB or 1MiB, or none'
  return z
    .codec(
      z.string({ error: form }).regex(/^(none|\d{1,9}(B|KiB|MiB|GiB))$/, form),
      z.union([z.number().min(1, 'must be at least 1B'), z.literal(Infinity)]),
      {
        decode: (text) => (text === 'none' ? Infinity : amountOf(text, BYTES)),
        encode: (amount) => (amount === Infinity ? 'none' : textOf(amount, BYTES)),
      },
    )
    .meta({ title: 'size or none' })
}
