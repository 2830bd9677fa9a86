/** A value of a path parameter, however long, is one of its route's and of no other one. */
import t from 'tap'
import { createStage } from '../support/stage.ts'

t.test('a long parameter does not fall through to another route', async (t) => {
  const stage = await createStage(t, {
    server: '  publicUrl: https://api.example.com\n  limits: { headerBytes: 128KiB }',
    routes: ({ url }) =>
      [
        `- { name: user, path: "/users/:id", upstream: ${url} }`,
        `- { name: rest, path: /*, access: public, upstream: ${url} }`,
      ].join('\n'),
  })
  for (const id of ['0'.repeat(65_536), '('.repeat(16_500), '%28'.repeat(16_500)]) {
    const { code } = await stage.send({ path: `/users/${id}42`, credentials: [] })
    t.equal(code, 'credentials_missing')
  }
  t.equal(stage.upstream.requests.length, 0)
  t.equal((await stage.send({ path: '/users/1/2', credentials: [] })).status, 200, 'the other one')
})
