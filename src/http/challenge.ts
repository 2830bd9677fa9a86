/** `WWW-Authenticate`, written here and nowhere else (RFC 9110 §11.6.1, RFC 9449 §7.1). */
import { REFUSALS, type DenialCode, type Refusal } from '../denial.ts'

/** The challenge of a refusal, or undefined where it carries none. */
export type Challenger = (code: DenialCode) => string | undefined

/** A challenge depends on the route and the code alone, so each is written once. */
export function createChallenger(
  algorithms: Iterable<string>,
  scopes: readonly string[],
): Challenger {
  const written = new Map<DenialCode, string | undefined>()
  const algs = [...algorithms].join(' ')
  return (code) => {
    if (!written.has(code)) written.set(code, writeChallenge(code, algs, scopes))
    return written.get(code)
  }
}

function writeChallenge(
  code: DenialCode,
  algs: string,
  scopes: readonly string[],
): string | undefined {
  const { challenge, error, description }: Refusal = REFUSALS[code]
  if (!challenge) return undefined
  const parameters = [
    // RFC 6750 §3.1: without credentials in the request, the challenge names no error.
    ...(error === undefined
      ? []
      : [quoted('error', error), quoted('error_description', description)]),
    ...(code === 'scope_insufficient' ? [quoted('scope', scopes.join(' '))] : []),
    quoted('algs', algs), // RFC 9449 §7.1
  ]
  return `DPoP ${parameters.join(', ')}`
}

/** RFC 9110 §5.6.4. */
function quoted(name: string, value: string): string {
  return `${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
