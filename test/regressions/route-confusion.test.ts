/**
 * A gateway and the server behind it must read one path alike. Caddy (#7941) let an encoded slash
 * past a rule; Express and ASP.NET do not tell upper from lower case; Tomcat drops `;parameters`;
 * many merge `//`. What such a server could take for a path of the protected route is refused.
 */
import t from 'tap'
import { createStage } from '../support/stage.ts'

const PATHS = [
  '/ADMIN/users',
  '/aDmin/users',
  '/%61dmin/../admin/users',
  '//admin/users',
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
