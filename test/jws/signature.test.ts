/** What a signature is refused for stands in test/conformance/proof-signature.test.ts. */
import { createPublicKey } from 'node:crypto'
import t from 'tap'
import { splitCompact } from '../../src/jws/compact.ts'
import type { JsonObject } from '../../src/jws/json.ts'
import { readPublicKey } from '../../src/jws/public-key.ts'
import { verifiesSignature } from '../../src/jws/signature.ts'
import { rfc8037, rfc9449 } from '../vectors/vectors.ts'

function verifies(jws: string, jwk: JsonObject, alg: 'ES256' | 'EdDSA'): boolean | undefined {
  const key = readPublicKey(jwk, alg)
  const segments = splitCompact(jws)
  return typeof key === 'object' && segments ? verifiesSignature(segments, key) : undefined
}

t.test('RFC 8037 A.4', async (t) => {
  t.equal(verifies(rfc8037.jws, rfc8037.jwk, 'EdDSA'), true)
  t.equal(verifies(rfc8037.jws.replace('RXhh', 'RXhi'), rfc8037.jwk, 'EdDSA'), false, '#77')
  t.equal(verifies(rfc8037.jws.slice(0, -4), rfc8037.jwk, 'EdDSA'), false, '#81')
})

t.test('#81 an Ed25519 signature with s + L, which is another spelling', async (t) => {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  const [header = '', payload = '', signature = ''] = rfc8037.jws.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + L
  const tail = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  const other = Buffer.concat([bytes.subarray(0, 32), tail]).toString('base64url')
  t.equal(verifies(`${header}.${payload}.${other}`, rfc8037.jwk, 'EdDSA'), false)
})

t.test('RFC 9449: its proofs', async (t) => {
  for (const { proof } of [rfc9449.resourceProof, rfc9449.tokenProof, rfc9449.refreshProof]) {
    t.equal(verifies(proof, { ...rfc9449.jwk }, 'ES256'), true)
  }
})

t.test('#65 a key of another kind is no error', async (t) => {
  const key = createPublicKey({ key: { ...rfc8037.jwk }, format: 'jwk' })
  const segments = splitCompact(rfc9449.resourceProof.proof)
  if (!segments) throw new Error('not three parts')
  for (const algorithm of ['ES256', 'RS256', 'PS256'] as const) {
    t.equal(verifiesSignature(segments, { algorithm, key, thumbprint: '' }), false, algorithm)
  }
})
