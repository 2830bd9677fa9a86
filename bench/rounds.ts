/**
 * Interleaved rounds: A B C, A B C, ... so that whatever else happens on the machine happens to all.
 * Ratios are made within a round, then their median is taken.
 */

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export interface Cell<T> {
  readonly id: string
  readonly measure: () => Promise<T> | T
}

/** Values of every cell, by round. */
export interface Results<T> {
  readonly has: (id: string) => boolean
  readonly of: (id: string, read: (value: T) => number) => Spread
  /** Of what is calculated from the cells of one round. */
  readonly each: (calculate: (valueOf: (id: string) => T) => number) => Spread
}

export async function runRounds<T>(
  cells: readonly Cell<T>[],
  rounds: number,
  say: (line: string) => void,
): Promise<Results<T>> {
  const all: ReadonlyMap<string, T>[] = []
  for (let round = 1; round <= rounds; round++) {
    const values = new Map<string, T>()
    for (const { id, measure } of cells) {
      say(`round ${round} of ${rounds}: ${id}`)
      values.set(id, await measure())
    }
    all.push(values)
  }
  const each: Results<T>['each'] = (calculate) =>
    spreadOf(
      all.map((values) =>
        calculate((id) => {
          const value = values.get(id)
          if (value === undefined) throw new Error(`${id} was not measured`)
          return value
        }),
      ),
    )
  return {
    has: (id) => all[0]?.has(id) ?? false,
    of: (id, read) => each((valueOf) => read(valueOf(id))),
    each,
  }
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  }
}
