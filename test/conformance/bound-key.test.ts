/** Group F: the key that is remembered with a token must not open anything it would not open anew. */
import t from 'tap'
import { createClient } from '../support/client.ts'
import { createStage } from '../support/stage.ts'
import { outcome, sendRow, type Row } from './table.ts'

t.test('#203 a key remembered for one client is not one for another', async (t) => {
  const stage = await createStage(t)
  const [alice, bob] = [stage.client, await createClient()]
  const aliceToken = await stage.mint()
  const bobToken = await stage.mint({ cnf: { jkt: bob.thumbprint } })
  const send = async (row: Omit<Row, 'name' | 'answer'>) => outcome(await sendRow(stage, row))
  for (let round = 0; round < 2; round++) {
    t.equal(await send({ client: alice, token: aliceToken }), '200')
    t.equal(await send({ client: bob, token: bobToken }), '200')
    t.equal(await send({ client: bob, token: aliceToken }), '401 token_key_mismatch')
    t.equal(await send({ client: alice, token: bobToken }), '401 token_key_mismatch')
    const header = { jwk: alice.publicJwk }
    const stolen = { client: bob, token: aliceToken, proof: { header } }
    t.equal(await send(stolen), '401 proof_signature')
  }
})

t.test('#62 #203 a key remembered on one route meets the algorithms of another', async (t) => {
  const stage = await createStage(t, {
    routes: ({ url }) =>
      [
        `- { name: any, path: /any/*, upstream: ${url} }`,
        `- { name: rsa, path: /rsa/*, upstream: ${url}, dpop: { algorithms: [PS256] } }`,
      ].join('\n'),
  })
  const client = await createClient('RS256')
  const token = await stage.mint({ cnf: { jkt: client.thumbprint } })
  const header = { alg: 'PS256' }
  const send = async (row: Omit<Row, 'name' | 'answer'>) =>
    outcome(await sendRow(stage, { client, token, ...row }))
  t.equal(await send({ path: '/any/x' }), '200')
  t.equal(await send({ path: '/rsa/x' }), '401 proof_algorithm')
  t.equal(await send({ path: '/rsa/x', proof: { header } }), '401 proof_signature')
  t.equal(await send({ path: '/any/x' }), '200')
})
