/**
 * How servers behind the gateway may read a path. What is refused on any route is left out: dot
 * segments, control characters, backslashes as they are.
 */
import { decodings } from '../dpop/target.ts'

/** What servers make of the segments of a path, once it is decoded. Each has routes of its own. */
const MANNERS: readonly ((name: string) => string)[] = [
  (name) => name,
  withoutParameters, // As Tomcat.
  (name) => withoutParameters(name).replace(/(?<![. ])[. ]+$/, ''), // As Windows names files.
]

/** What a path may be read as, by the manners of the servers. */
export type Readings = readonly (readonly string[])[]

/** Whether all servers read the path alike. */
export function isPlain(path: string): boolean {
  return !/[^\x21-\x7e]|[%;A-Z]|\/\/|\.(?:\/|$)/.test(path)
}

/**
 * Decoded as a whole, once or more often, or segment by segment, as Express does; with a decoded
 * question mark, or ended by it. Always with slashes merged and in lower case: where a server minds
 * either, it reads the path as it is written.
 */
export function readingsOf(path: string): Readings {
  const texts = decodings(path)
  if (/%2F|%5C/.test(path)) texts.push(decodedOnce(sealed(path)))
  if (texts.length === 0) texts.push(path)
  const whole = texts.map(inCharacters).flatMap((text) => [text, text.replace(/[?#].*$/s, '')])
  return MANNERS.map((manner) => [
    ...new Set(whole.map((text) => mergedSlashes(text.split('/').map(manner).join('/')))),
  ])
}

/** For each manner how a fixed segment of a route stands in the readings of its requests. */
export const SEGMENT_READINGS: readonly ((segment: string) => string)[] = MANNERS.map(
  (manner) => (segment) => manner(inCharacters(decodedOnce(segment))),
)

/** With a slash at the end in place of none, or the other way round. */
export function withSlashToggled(readings: Readings): Readings {
  const toggled = (path: string) => (path.endsWith('/') ? path.slice(0, -1) : `${path}/`)
  return readings.map((paths) => paths.map(toggled))
}

/** With separators that stay a part of their segment when it is decoded. */
function sealed(path: string): string {
  return path.replaceAll(/%2F|%5C/g, '_')
}

function decodedOnce(text: string): string {
  return decodings(text)[0] ?? text
}

/** `text` holds octets as characters. */
function inCharacters(text: string): string {
  return Buffer.from(text, 'latin1').toString().replaceAll('\\', '/').toLowerCase()
}

function mergedSlashes(text: string): string {
  return text.replaceAll(/\/{2,}/g, '/')
}

function withoutParameters(name: string): string {
  return name.split(';', 1)[0] ?? ''
}
