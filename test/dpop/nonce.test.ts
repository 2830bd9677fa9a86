/** RFC 9449 §8, §9: nonces made without a store. What a request shows of them: test/conformance. */
import { createHmac } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { createNonces, type Nonces } from '../../src/dpop/nonce.ts'

const NOW = 1_700_000_000
const LIFETIME = 300
const SKEW = 30
const OLD = 'the old secret, which is to go away'
const NEW = 'the new secret, which is to come in'

const noncesOf = (...secrets: readonly string[]) =>
  createNonces({ secrets, lifetimeSeconds: LIFETIME })

/** A nonce as the gateway makes it, out of any six bytes. */
function forge(time: Buffer, secret = OLD): string {
  const hash = createHmac('sha256', secret).update(time).digest().subarray(0, 16)
  return Buffer.concat([time, hash]).toString('base64url')
}

const at = (time: number) => forge(Buffer.from(time.toString(16).padStart(12, '0'), 'hex'))

/** What decodes to the same bytes as a nonce with this last letter. */
const NEXT = { A: 'B', Q: 'R', g: 'h', w: 'x' } as const

const isGood = (nonces: Nonces, nonce: string, now = NOW) =>
  nonces.expiryOf(nonce, now) !== undefined

t.test('#193 a nonce is NQCHAR and short, at any time', async (t) => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), fc.string({ minLength: 1 }), (now, secret) => {
      const nonce = noncesOf(secret).current(now)
      t.match(nonce, /^[\x21\x23-\x5b\x5d-\x7e]{30}$/)
    }),
  )
})

t.test('the same within a second, and at all instances', async (t) => {
  const nonces = noncesOf(OLD)
  const nonce = nonces.current(NOW)
  t.equal(nonces.current(NOW), nonce)
  t.not(nonces.current(NOW + 1), nonce)
  t.equal(nonces.current(NOW), nonce, 'also after a clock was set back')
  t.equal(noncesOf(OLD).current(NOW), nonce)
  t.not(noncesOf(NEW).current(NOW), nonce)
  t.equal(at(NOW), nonce, 'the form the other tests here forge')
})

t.test('#186 accepted for its lifetime and no longer', async (t) => {
  const nonces = noncesOf(OLD)
  const nonce = nonces.current(NOW)
  for (const age of [0, 1, LIFETIME / 2, LIFETIME - 1, LIFETIME - 0.001]) {
    t.equal(nonces.expiryOf(nonce, NOW + age), NOW + LIFETIME, `${age} s old`)
  }
  for (const age of [LIFETIME, LIFETIME + 1, 10 * LIFETIME, Infinity]) {
    t.equal(nonces.expiryOf(nonce, NOW + age), undefined, `${age} s old`)
  }
})

t.test('of an instance whose clock is ahead', async (t) => {
  const nonces = noncesOf(OLD)
  t.equal(nonces.expiryOf(at(NOW + SKEW), NOW), NOW + SKEW + LIFETIME)
  t.equal(nonces.expiryOf(at(NOW + SKEW + 1), NOW), undefined)
  t.equal(
    nonces.expiryOf(at(NOW + SKEW + 1), NOW + 1),
    NOW + SKEW + 1 + LIFETIME,
    'that it was refused before does not count',
  )
})

t.test('#188 secrets: the first makes nonces, all are accepted, no other is', async (t) => {
  const [both, before] = [noncesOf(NEW, OLD), noncesOf(OLD, NEW)]
  const [onlyOld, onlyNew] = [noncesOf(OLD), noncesOf(NEW)]
  t.equal(both.current(NOW), onlyNew.current(NOW))
  t.equal(before.current(NOW), onlyOld.current(NOW))
  for (const nonces of [both, before]) {
    t.ok(isGood(nonces, onlyOld.current(NOW)))
    t.ok(isGood(nonces, onlyNew.current(NOW)))
    t.notOk(isGood(nonces, noncesOf('another').current(NOW)))
  }
  t.notOk(isGood(onlyOld, onlyNew.current(NOW)), 'what a rotation in one step costs')
  t.notOk(isGood(onlyNew, onlyOld.current(NOW)))
  t.notOk(isGood(noncesOf(''), onlyOld.current(NOW)))
})

t.test('#186 #187 what is no nonce of this gateway', async (t) => {
  const nonces = noncesOf(OLD)
  const nonce = nonces.current(NOW)
  const bytes = Buffer.from(nonce, 'base64url')
  const rows: Readonly<Record<string, string>> = {
    empty: '',
    garbage: 'eyJ7S_zG.eyJH0-Z.HX4w-7v',
    'as long, of zeros': 'A'.repeat(30),
    'a letter less': nonce.slice(0, -1),
    'a byte less': bytes.subarray(0, -1).toString('base64url'),
    'a byte more': Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'),
    'the time alone': bytes.subarray(0, 6).toString('base64url'),
    'the hash alone': bytes.subarray(6).toString('base64url'),
    twice: nonce + nonce,
    padded: `${nonce}==`,
    'in hex': bytes.toString('hex'),
    'with a space': `${nonce} `,
    'with a line end': `${nonce}\n`,
    'in quotation marks': `"${nonce}"`,
    'in another case': nonce.toUpperCase(),
    'with a bit that decoding drops': nonce.replace(
      /.$/,
      (last) => NEXT[last as keyof typeof NEXT],
    ),
    'a name of every object': '__proto__',
    'as long as a proof may be': 'A'.repeat(8192),
  }
  for (const [name, value] of Object.entries(rows)) t.notOk(isGood(nonces, value), name)
  for (const [index] of bytes.entries()) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.notOk(isGood(nonces, changed.toString('base64url')), `a bit of byte ${index} changed`)
  }
  for (let now = NOW; ; now += 1) {
    const other = nonces.current(now)
    if (!/[-_]/.test(other)) continue
    const spelled = other.replaceAll('-', '+').replaceAll('_', '/')
    t.notOk(isGood(nonces, spelled, now), 'in the alphabet of base64 itself')
    break
  }
  t.ok(isGood(nonces, nonce), 'and the one they were made of is')
})

t.test('#186 random text is refused and throws nothing', async (t) => {
  const nonces = noncesOf(OLD, NEW)
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.stringMatching(/^[\w-]{29}[AQgw]$/),
  )
  fc.assert(
    fc.property(text, (nonce) => !isGood(nonces, nonce)),
    { numRuns: 1000 },
  )
  t.pass()
})

t.test('times that only who has the secret can write', async (t) => {
  const nonces = noncesOf(OLD)
  const lowest = forge(Buffer.alloc(6))
  const highest = forge(Buffer.alloc(6, 0xff))
  t.notOk(isGood(nonces, lowest))
  t.notOk(isGood(nonces, highest))
  t.equal(nonces.expiryOf(lowest, 0), LIFETIME)
  t.equal(nonces.expiryOf(highest, 2 ** 48 - 1), 2 ** 48 - 1 + LIFETIME)
})

t.test('what is kept of a nonce that was good does not make it good later', async (t) => {
  const nonces = noncesOf(OLD)
  const nonce = at(NOW)
  for (let time = 0; time < 3; time += 1) t.ok(isGood(nonces, nonce))
  t.notOk(isGood(nonces, nonce, NOW + LIFETIME))
  t.notOk(isGood(nonces, nonce, NOW - SKEW - 1))
  t.ok(isGood(nonces, nonce, NOW + LIFETIME - 1), 'nor was that a verdict for ever')
})

t.test('what is kept is bounded, and every nonce stays what it is', async (t) => {
  const nonces = noncesOf(OLD)
  // More than there are in the longest lifetime, and more than are kept.
  const count = 60_000
  const before = usedBytes()
  for (let time = NOW - count; time < NOW; time += 1) {
    if (isGood(nonces, at(time)) !== time > NOW - LIFETIME) t.fail(`${NOW - time} s old`)
  }
  const grown = usedBytes() - before
  t.ok(grown < 2_000_000, `${Math.round(grown / 1000)} kB`)
  t.ok(isGood(nonces, at(NOW - LIFETIME + 1)))
  t.notOk(isGood(nonces, at(NOW - LIFETIME)))
})

function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
