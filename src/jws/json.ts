/**
 * JSON as a signed message needs it: an object, in valid UTF-8 without a byte order mark, and no
 * member twice (RFC 7515 §4, RFC 7519 §4). `JSON.parse` keeps the last of two, so two readers of
 * one token could read two different tokens.
 */

import { isAscii } from 'node:buffer'

export type JsonObject = Readonly<Record<string, unknown>>

const MAX_DEPTH = 32
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The object, or undefined where the bytes are anything else. */
export function parseJsonObject(bytes: Buffer): JsonObject | undefined {
  try {
    const text = isAscii(bytes) ? bytes.toString('latin1') : utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && !repeatsMember(value, text) ? value : undefined
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Where nothing is escaped, each name and each string has two quotes: as many as what was read from
 * the text needs, and no member was lost. Only where that does not say so are the names looked at.
 */
function repeatsMember(value: JsonObject, text: string): boolean {
  const isClear = !text.includes('\\') && quotesOf(text) === quotesFor(value)
  return !isClear && findsRepetition(text)
}

function quotesOf(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++
  return count
}

/** NaN where the nesting is too deep. */
function quotesFor(value: unknown, depth = 0): number {
  if (typeof value === 'string') return 2
  if (typeof value !== 'object' || value === null) return 0
  if (depth === MAX_DEPTH) return Number.NaN
  let count = 0
  for (const member of Object.values(value)) count += quotesFor(member, depth + 1)
  return Array.isArray(value) ? count : count + 2 * Object.keys(value).length
}

/**
 * Whether an object at any depth names a member twice, however it is escaped. Counts nesting deeper
 * than 32 as a repetition, for no honest token is. `text` has passed `JSON.parse`.
 */
function findsRepetition(text: string): boolean {
  const scopes: (Set<string> | undefined)[] = []
  let expectsName = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
        scopes.push(new Set())
        expectsName = true
        break
      case 0x5b: // [
        scopes.push(undefined)
        expectsName = false
        break
      case 0x7d: // }
      case 0x5d: // ]
        scopes.pop()
        break
      case 0x2c: // ,
        expectsName = scopes.at(-1) !== undefined
        break
      case 0x22: {
        // "
        const end = endOfString(text, at)
        const names = scopes.at(-1)
        if (expectsName && names !== undefined) {
          const name = nameAt(text, at, end)
          if (names.has(name)) return true
          names.add(name)
          expectsName = false
        }
        at = end
        break
      }
    }
    if (scopes.length > MAX_DEPTH) return true
  }
  return false
}

/** Index of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}

function nameAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end)
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}
