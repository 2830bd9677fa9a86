/**
 * A gateway and the server behind it must read one path alike. Caddy (#7941) let an encoded slash
 * past a rule; Express and ASP.NET do not tell upper from lower case; Tomcat drops `;parameters`;
 * many merge `//`, and a server that resolves `//x/admin` as a reference takes x for a host. What such a server could take for a path of the protected route is refused.
 */
import t from 'tap'
import { createStage } from '../support/stage.ts'

const PATHS = [
  '/ADMIN/users',
  '/aDmin/users',
  '/%61dmin/../admin/users',
  '//admin/users',
  '//x/admin/users',
  '///x/admin/users',
  '//x:80/admin/users',
  '/x/..%2Fadmin/users',
  '/x/%2e%2e/admin/users',
  '/x/..;/admin/users',
  '/admin;v=1/users',
  '/admin%2Fusers',
  '/admin%3B/users',
  '/%5Cadmin/users',
  '/;/admin/users',
  String.raw`/\admin/users`,
]

t.test('no other writing of a protected path gets through a public route', async (t) => {
  const { send, upstream } = await createStage(t, {
    routes: ({ url }) => `\
- { name: rest, path: /*, access: public, upstream: ${url} }
- { name: admin, path: /admin/*, upstream: ${url} }`,
  })
  for (const path of PATHS) {
    t.match(await send({ path, credentials: [] }), { status: 400, code: 'path_invalid' }, path)
  }
  t.match(await send({ path: '/%61dmin/users', credentials: [] }), { status: 401 })
  t.match(await send({ path: '/admin/users', credentials: [] }), { status: 401 })
  t.strictSame(upstream.requests, [])
  t.match(await send({ path: '/administrator', credentials: [] }), { status: 200 })
})

t.test(
  'nor where the protected path is written with capitals, parameters or beyond ASCII',
  async (t) => {
    const { send, upstream } = await createStage(t, {
      routes: ({ url }) => `\
- { name: rest, path: /*, access: public, upstream: ${url} }
- { name: secret, path: /Secret/*, upstream: ${url} }
- { name: cafe, path: /caf%C3%A9/*, upstream: ${url} }
- { name: me, path: /users/Me, upstream: ${url} }
- { name: user, path: /users/:id, access: public, upstream: ${url} }`,
    })
    for (const path of ['/secret/x', '/SECRET/x', '/caf%C3%89/x', '/users/me', '/users/ME']) {
      t.match(await send({ path, credentials: [] }), { status: 400, code: 'path_invalid' }, path)
    }
    for (const path of ['/Secret/x', '/caf%C3%A9/x', '/users/Me']) {
      t.match(await send({ path, credentials: [] }), { status: 401 }, path)
    }
    t.strictSame(upstream.requests, [])
    t.match(await send({ path: '/users/you', credentials: [] }), { status: 200 })
  },
)

// Found by test/differential: each of these reached the protected path on nginx or Node.
const OTHER_READINGS = [
  '/private/',
  '/private//',
  '/private%20',
  '/admin',
  '/admin%3Fx',
  '/api/7%3F%2Fsecret',
  '/API/a%2Fb/secret',
  '/x/%252e%252e/admin/x',
  '/%2561dmin/x',
  '/ad%09min/x',
  '/x/a/..%3F',
  '/x/%C0%AE%C0%AE/admin/x',
]

t.test('nor by a slash at the end, or decoded more than once', async (t) => {
  const { send, upstream } = await createStage(t, {
    routes: ({ url }) => `\
- { name: rest, path: /*, access: public, upstream: "${url}" }
- { name: admin, path: /admin/*, upstream: "${url}" }
- { name: private, path: /private, upstream: "${url}" }
- { name: secret, path: "/api/:id/secret", upstream: "${url}" }`,
  })
  for (const path of OTHER_READINGS) {
    t.match(await send({ path, credentials: [] }), { status: 400, code: 'path_invalid' }, path)
  }
  t.strictSame(upstream.requests, [])
})

t.test('nor behind a prefix that is taken off', async (t) => {
  const { send, upstream } = await createStage(t, {
    routes: ({ url }) =>
      `- { name: pub, path: /pub/*, stripPrefix: /pub, access: public, upstream: ${url} }`,
  })
  const answer = await send({ path: '/pub//x/admin', credentials: [] })
  t.match(answer, { status: 400, code: 'path_invalid' })
  t.strictSame(upstream.requests, [])
})
