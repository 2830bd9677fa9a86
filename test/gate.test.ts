import t from 'tap'
import { createStage } from './support/stage.ts'

t.test('#1 a valid token with a valid proof passes, once', async (t) => {
  const { send, client, mint, upstream } = await createStage(t)
  const token = await mint()
  const proof = await client.proof({ url: 'https://api.example.com/api/orders', token })
  const first = await send({ token, proof })
  t.equal(first.status, 200)
  t.same(upstream.requests[0]?.values('x-auth-subject'), ['alice'])
  t.same(upstream.requests[0]?.values('authorization'), [])
  const second = await send({ token, proof })
  t.match(second, { status: 401, code: 'proof_replayed' }, '#173')
})
