/** What was probably meant by a word that nobody knows. */
import { closest, distance } from 'fastest-levenshtein'

/** ` (did you mean "scopes"?)` where one of the known words is close enough to be meant, else nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const byLowerCase = new Map(known.map((name) => [name.toLowerCase(), name]))
  const nearest = closest(word.toLowerCase(), [...byLowerCase.keys()])
  // Two swapped letters are a distance of 2, but in a short word so is anything.
  const tolerated = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))
  if (distance(word.toLowerCase(), nearest) > tolerated) return ''
  return ` (did you mean "${byLowerCase.get(nearest) ?? nearest}"?)`
}
