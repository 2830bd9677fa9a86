import t from 'tap'
import { Denial } from '../../src/denial.ts'
import { createRoutes } from '../../src/http/routes.ts'
import { createPools } from '../../src/http/upstreams.ts'
import { PLAIN_ROUTE } from './plain-route.ts'

const pools = createPools()

interface Options {
  readonly host?: string
  readonly methods?: readonly string[]
}

/** A route with its path for a name. */
function route(path: string, { host, methods }: Options = {}) {
  return {
    ...PLAIN_ROUTE,
    name: [host, path, methods].filter((part) => part !== undefined).join(' '),
    host,
    path,
    methods: methods && new Set(methods),
    upstreams: pools.group(['http://127.0.0.1:1'], 1000),
  }
}

const routes = createRoutes([
  route('/public/*'),
  route('/admin/*'),
  route('/admin/:id/keys'),
  route('/orders', { methods: ['GET', 'HEAD'] }),
  route('/orders', { methods: ['POST'] }),
  route('/orders/:id'),
  route('/orders/new'),
  route('/caf%C3%A9/*'),
  route('/a%3Ab'),
  route('/site/*', { host: 'a.example.com' }),
  route('/site/*', { host: 'b.example.com' }),
  route('/Case'),
  route('/case'),
])

/** The name of the route, or the refusal. */
function find(path: string, { method = 'GET', host = 'x' } = {}): string {
  try {
    return routes.find(method, host, path).name
  } catch (error) {
    if (!(error instanceof Denial)) throw error
    const { Allow } = error.headers
    return Allow === undefined ? error.code : `${error.code} ${Allow}`
  }
}

const FOUND = [
  { path: '/public/', name: '/public/*' },
  { path: '/public/a/b', name: '/public/*' },
  { path: '/public', name: 'route_unknown' },
  { path: '/publicity', name: 'route_unknown' },
  { path: '/', name: 'route_unknown' },
  { path: '/admin/1/keys', name: '/admin/:id/keys' },
  { path: '/admin/1/keys/2', name: '/admin/*' },
  { path: '/orders/7', name: '/orders/:id' },
  { path: '/orders/new', name: '/orders/new' },
  { path: '/orders/a%20b', name: '/orders/:id' },
  { path: '/orders/Ab:c*d(e)', name: '/orders/:id' },
  { path: `/orders/${'x'.repeat(10_000)}`, name: '/orders/:id' },
  { path: '/orders/7/', name: 'route_unknown' },
  { path: '/caf%C3%A9/x', name: '/caf%C3%A9/*' },
  { path: '/a%3Ab', name: '/a%3Ab' },
  { path: '/aXb', name: 'route_unknown' },
  { path: '/Case', name: '/Case' },
  { path: '/case', name: '/case' },
  { path: '/public/%E2%82%AC;v=1//x', name: '/public/*' },
]

for (const { path, name } of FOUND) {
  t.test(`${path.slice(0, 40)} leads to ${name}`, async (t) => {
    t.equal(find(path), name)
  })
}

// What a server behind the gateway may make of a path: it decodes it, merges slashes, drops
// parameters, ends it at a decoded question mark, or does not tell upper from lower case.
const CONFUSING = [
  { path: '/orders/%6Eew', why: 'an encoded letter' },
  { path: '/orders/NEW', why: 'another case' },
  { path: '/orders/new;v=1', why: 'a parameter' },
  { path: '/orders/new%3Bv=1', why: 'an encoded parameter' },
  { path: '/orders/new%3Fa', why: 'an encoded question mark' },
  { path: '/orders/new%23a', why: 'an encoded number sign' },
  { path: '/admin/1%2Fkeys', why: 'an encoded slash' },
  { path: '/admin/1%5Ckeys', why: 'an encoded backslash' },
  { path: '/admin//1/keys', why: 'an empty segment' },
  { path: '/admin/1//keys', why: 'an empty segment further on' },
  { path: '/admin/1/KEYS', why: 'another case further on' },
]

for (const { path, why } of CONFUSING) {
  t.test(`#132 ${path} could be read as another route: ${why}`, async (t) => {
    t.equal(find(path), 'path_invalid')
  })
}

t.test('the method picks among the routes of one path', async (t) => {
  t.equal(find('/orders', { method: 'HEAD' }), '/orders GET,HEAD')
  t.equal(find('/orders', { method: 'POST' }), '/orders POST')
  t.equal(find('/orders/1', { method: 'PROPFIND' }), '/orders/:id')
})

t.test('#113 TRACE is refused on every route', async (t) => {
  const usual = 'method_unknown GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
  t.equal(find('/orders/1', { method: 'TRACE' }), usual)
})

t.test('RFC 9110 §9.1 another method is refused with those there are', async (t) => {
  t.equal(find('/orders', { method: 'DELETE' }), 'method_unknown GET, HEAD, POST')
  t.equal(find('/orders', { method: 'get' }), 'method_unknown GET, HEAD, POST')
})

t.test('the host picks among the routes of one path', async (t) => {
  t.equal(find('/site/x', { host: 'a.example.com' }), 'a.example.com /site/*')
  t.equal(find('/site/x', { host: 'b.example.com' }), 'b.example.com /site/*')
  t.equal(find('/site/x', { host: 'c.example.com' }), 'route_unknown')
  t.equal(find('/public/x', { host: 'a.example.com' }), '/public/*')
})
