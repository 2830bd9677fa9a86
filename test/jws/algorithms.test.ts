import t from 'tap'
import { ALGORITHMS, isAlgorithmName, withAliases } from '../../src/jws/algorithms.ts'

t.test('#59 to #63 names', async (t) => {
  for (const name of Object.keys(ALGORITHMS)) t.equal(isAlgorithmName(name), true, name)
  for (const name of ['none', 'HS256', 'ES256K', 'es256', '', 'toString', '__proto__']) {
    t.equal(isAlgorithmName(name), false, name)
  }
})

t.test('#67 either name of Ed25519 brings the other', async (t) => {
  t.strictSame([...withAliases(['EdDSA'])], ['EdDSA', 'Ed25519'])
  t.strictSame([...withAliases(['Ed25519', 'ES256'])], ['Ed25519', 'ES256', 'EdDSA'])
  t.strictSame([...withAliases(['ES256'])], ['ES256'])
})
