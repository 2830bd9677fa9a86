/** What a survey of the issuers found, as text. */
import type { Surveyed } from '../survey.ts'

/** A paragraph an issuer, a line a finding. */
export function printSurvey(issuers: readonly Surveyed[]): string {
  return issuers
    .flatMap(({ name, issuer, findings }) => [
      `issuer ${name}: ${issuer}`,
      ...findings.map(({ level, sentence }) => `  ${level.padEnd(4)}  ${printable(sentence)}`),
    ])
    .map((line) => `${line}\n`)
    .join('')
}

/** What an issuer publishes must not begin a line of its own, or command the terminal. */
function printable(sentence: string): string {
  return sentence.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
}
