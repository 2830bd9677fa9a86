/** What a JWK is refused for stands in test/conformance/proof-key*.test.ts, end to end. */
import t from 'tap'
import { holdsPrivateMembers, readPublicKey } from '../../src/jws/public-key.ts'
import { thumbprints, type ThumbprintVector } from '../vectors/vectors.ts'

function thumbprintOf({ jwk, alg }: Pick<ThumbprintVector, 'jwk' | 'alg'>): unknown {
  const key = readPublicKey(jwk, alg)
  return typeof key === 'object' ? key.thumbprint : key
}

for (const vector of thumbprints) {
  t.test(`#106 ${vector.source}`, async (t) => {
    t.equal(thumbprintOf(vector), vector.thumbprint)
    const members = Object.entries(vector.jwk).filter(([name]) => name !== 'alg')
    const jwk = Object.fromEntries(members.reverse())
    t.equal(thumbprintOf({ ...vector, jwk }), vector.thumbprint, '#104 in another order')
    const more = { ...jwk, use: 'sig', key_ops: ['sign', 'verify'], kid: 'k', ext: true, x5c: [] }
    t.equal(thumbprintOf({ ...vector, jwk: more }), vector.thumbprint, '#103 with more members')
  })
}

t.test('#93 a second spelling of a point: x + p', async (t) => {
  const y = 'RZJDuapYGAb-kTvOmYF63hHKUDxk2aPFM0FcCDJI-8w'
  const key = (x: string) => readPublicKey({ kty: 'EC', crv: 'P-256', x, y }, 'ES256')
  t.type(key('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAU'), 'object', 'x = 5 is on the curve')
  t.equal(key('_____wAAAAEAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAQ'), 'unusable', 'x = 5 + p is the same')
})

t.test('#101 the two names of Ed25519 stand for each other', async (t) => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
  for (const name of ['EdDSA', 'Ed25519'] as const) {
    for (const alg of ['EdDSA', 'Ed25519']) t.type(readPublicKey({ ...jwk, alg }, name), 'object')
    t.equal(readPublicKey({ ...jwk, alg: 'ES256' }, name), 'unusable')
  }
})

t.test('#86 to #90 private members', async (t) => {
  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
    t.equal(holdsPrivateMembers({ [name]: undefined }), true, name)
  }
  t.equal(holdsPrivateMembers({ kty: 'RSA', n: '', e: '', D: 1 }), false)
})
