/** The parsers of what a client sends, each against a slower reference. A failing run prints its seed. */
import { isUtf8 } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { canonicalPath, canonicalTarget } from '../src/dpop/target.ts'
import { decodeBase64url } from '../src/jws/base64url.ts'
import { parseJsonObject } from '../src/jws/json.ts'

const RUNS = { numRuns: 3000 }

/** JSON text as many ways as there are: order, white space, escapes, members twice. */
const space = fc.constantFrom('', '', '', ' ', '\n', '\t')
const string = fc.oneof(
  fc.constantFrom('"a"', '"b"', '"\\u0061"', '"\\""', '"\\\\"', '"{"', '"}"', '","', '""', '"é"'),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
)
const { value, object } = fc.letrec<{
  value: string
  object: string
  array: string
  member: string
}>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    string,
    fc.constantFrom('1', '-0', '1e400', 'true', 'null'),
    tie('object'),
    tie('array'),
  ),
  member: fc
    .tuple(space, string, space, tie('value'), space)
    .map(([a, name, b, it, c]) => `${a}${name}${b}:${it}${c}`),
  object: fc.array(tie('member'), { maxLength: 4 }).map((members) => `{${members.join(',')}}`),
  array: fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(' , ')}]`),
}))

/** Whether a member stands twice: rewriting every name to a number of its own, none may get lost. */
function hasMemberTwice(text: string): boolean {
  let names = 0
  const renamed = text.replaceAll(
    /("(?:[^"\\]|\\.)*")(\s*:)?/gs,
    (whole, _: string, colon?: string) => (colon === undefined ? whole : `"${names++}":`),
  )
  return countMembers(JSON.parse(text)) !== countMembers(JSON.parse(renamed))
}

function countMembers(it: unknown): number {
  if (typeof it !== 'object' || it === null) return 0
  const values: readonly unknown[] = Object.values(it)
  return values.reduce<number>(
    (sum, inner) => sum + countMembers(inner),
    Array.isArray(it) ? 0 : values.length,
  )
}

t.test('the reference itself', async (t) => {
  t.equal(hasMemberTwice('{"a":{"a":":"},"b":"a"}'), false)
  t.equal(hasMemberTwice('{"a":[{"b":1 , "\\u0062" : 1}]}'), true)
})

function isObjectText(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  } catch {
    return false
  }
}

t.test('#50 to #52 JSON against JSON.parse and a slower search for members twice', async (t) => {
  let [accepted, refused] = [0, 0]
  fc.assert(
    fc.property(value, space, (text, around) => {
      const bytes = Buffer.from(around + text + around)
      const valid = isObjectText(bytes.toString()) && !hasMemberTwice(bytes.toString())
      if (valid) accepted++
      else refused++
      const expected: unknown = valid ? JSON.parse(bytes.toString()) : undefined
      return isDeepStrictEqual(parseJsonObject(bytes), expected)
    }),
    RUNS,
  )
  t.ok(accepted > 100 && refused > 100, `${accepted} accepted, ${refused} refused`)
})

t.test('#42 to #45 JSON with some bytes changed', async (t) => {
  let refused = 0
  const change = fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(object, fc.array(change, { maxLength: 2 }), (text, changes) => {
      const bytes = Buffer.from(text)
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      const parsed = parseJsonObject(bytes)
      if (parsed !== undefined) return isDeepStrictEqual(parsed, JSON.parse(bytes.toString()))
      refused++
      return !isUtf8(bytes) || !isObjectText(bytes.toString()) || hasMemberTwice(bytes.toString())
    }),
    RUNS,
  )
  t.ok(refused > 100 && refused < RUNS.numRuns - 100, `${refused} refused`)
})

t.test('#46 to #49 base64url there and back', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url')
      return isDeepStrictEqual(decodeBase64url(text), Buffer.from(bytes))
    }),
    RUNS,
  )
  fc.assert(
    fc.property(fc.stringMatching(/^[\w=+/ -]{1,9}$/), (text) => {
      const bytes = decodeBase64url(text)
      return bytes === undefined || bytes.toString('base64url') === text
    }),
    RUNS,
  )
})

const pathPiece = fc.oneof(
  fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2F',
    '%5C',
    '%7e',
    '%00',
    '%25',
    ';',
    '\\',
    'a',
    'é',
    '%c3%bc',
    '%',
  ),
  fc.string({ maxLength: 4 }),
)
const path = fc.array(pathPiece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`)

t.test('#127 #128 the canonical form of a canonical path is itself', async (t) => {
  let taken = 0
  fc.assert(
    fc.property(path, (text) => {
      const canonical = canonicalPath(text)
      if (canonical === undefined) return true
      taken++
      // Whoever decodes it finds the same bytes as before, and no way up.
      const same = unescape(canonical) === unescape(text)
      return same && canonicalPath(canonical) === canonical && !hasDots(unescape(canonical))
    }),
    RUNS,
  )
  t.ok(taken > 100, `${taken} taken`)
})

const unescape = (text: string) =>
  text.replaceAll(/%([\dA-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
const hasDots = (text: string) =>
  text.split(/[/\\]/).some((segment) => /^\.{1,2}(;|$)/.test(segment))

t.test('#115 to #142 the canonical form of a canonical target is itself', async (t) => {
  const authority = fc.oneof(
    fc.constantFrom(
      'h',
      'H.example',
      'h:443',
      'h:80',
      'h:8443',
      '[::1]',
      'bücher.example',
      'u@h',
      'h\\x',
      'h:',
    ),
    fc.webAuthority({ withIPv4: true, withIPv6: true, withPort: true, withUserInfo: true }),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  let taken = 0
  fc.assert(
    fc.property(
      fc.constantFrom('http', 'HTTPS', 'ws', ''),
      authority,
      path,
      (scheme, host, rest) => {
        const canonical = canonicalTarget(`${scheme}://${host}${rest}`)
        if (canonical === undefined) return true
        taken++
        return (
          canonicalTarget(canonical) === canonical && new URL(canonical).href.startsWith(canonical)
        )
      },
    ),
    RUNS,
  )
  t.ok(taken > 100, `${taken} taken`)
})
