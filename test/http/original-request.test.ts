/** docs/cases.md rows 33, 34, 113, 131-134, 148, 149 and 255: what is ambiguous goes no further. */
import t from 'tap'
import { sendRaw } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

const HOST = 'Host: localhost\r\n'
const get = (target: string, fields = HOST) => `GET ${target} HTTP/1.1\r\n${fields}\r\n`
const post = (fields: string, body = '') => `POST /x HTTP/1.1\r\n${HOST}${fields}\r\n\r\n${body}`
const chunked = 'Transfer-Encoding: chunked'
const END = '0\r\n\r\n'

const malformed = { status: 400, code: 'header_invalid' }
const badHost = { status: 400, code: 'host_invalid' }
const badPath = { status: 400, code: 'path_invalid' }

// prettier-ignore
const REFUSED = [
  { name: '#33 HTTP/1.0', bytes: `GET /x HTTP/1.0\r\n${HOST}\r\n`, ...malformed },
  { name: '#33 HTTP/1.0 in chunks', bytes: `POST /x HTTP/1.0\r\n${HOST}${chunked}\r\n\r\n${END}`, ...malformed },
  { name: '#33 HTTP/0.9', bytes: 'GET /x\r\n\r\n', status: 505, code: 'version_unsupported' },
  { name: '#33 HTTP/2.0 in the request line', bytes: `GET /x HTTP/2.0\r\n${HOST}\r\n`, status: 505, code: 'version_unsupported' },
  { name: '#33 HTTP/1.2', bytes: `GET /x HTTP/1.2\r\n${HOST}\r\n`, status: 505, code: 'version_unsupported' },
  { name: '#33 the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ...malformed },
  { name: '#33 no Host', bytes: get('/x', ''), ...badHost },
  { name: '#34 two Hosts', bytes: get('/x', `${HOST}Host: other\r\n`), ...badHost },
  { name: '#34 the same Host twice', bytes: get('/x', HOST + HOST), ...badHost },
  { name: '#34 an empty Host', bytes: get('/x', 'Host: \r\n'), ...badHost },
  { name: '#34 a user name in Host', bytes: get('/x', 'Host: me@localhost\r\n'), ...badHost },
  { name: '#34 a path in Host', bytes: get('/x', 'Host: localhost/x\r\n'), ...badHost },
  { name: '#34 a list in Host', bytes: get('/x', 'Host: localhost, other\r\n'), ...badHost },
  { name: '#34 a port out of range in Host', bytes: get('/x', 'Host: localhost:65536\r\n'), ...badHost },
  { name: '#132 a dot segment', bytes: get('/a/../x'), ...badPath },
  { name: '#132 a single dot', bytes: get('/a/./x'), ...badPath },
  { name: '#132 a dot segment at the end', bytes: get('/a/..'), ...badPath },
  { name: '#132 an encoded dot segment', bytes: get('/a/%2e%2E/x'), ...badPath },
  { name: '#132 half an encoded dot segment', bytes: get('/a/.%2e/x'), ...badPath },
  { name: '#132 a dot segment before an encoded slash', bytes: get('/a/..%2Fx'), ...badPath },
  { name: '#132 a dot segment after an encoded slash', bytes: get('/a%2f../x'), ...badPath },
  { name: '#132 a dot segment between encoded backslashes', bytes: get('/a%5c..%5Cx'), ...badPath },
  { name: '#132 a dot segment with a parameter', bytes: get('/a/..;v=1/x'), ...badPath },
  { name: '#132 a dot segment with an encoded parameter', bytes: get('/a/..%3Bv/x'), ...badPath },
  { name: '#132 an encoded NUL', bytes: get('/x%00'), ...badPath },
  { name: '#132 a percent sign alone', bytes: get('/x%'), ...badPath },
  { name: '#132 a percent sign before no hex digits', bytes: get('/x%zz'), ...badPath },
  { name: '#132 raw bytes beyond ASCII', bytes: get('/\xfc'), ...badPath },
  { name: '#134 a backslash', bytes: get(String.raw`/a\x`), ...badPath },
  { name: '#148 an absolute target of another host', bytes: get('http://other/x'), ...badHost },
  { name: '#148 an absolute target of another port', bytes: get('http://localhost:81/x'), ...badHost },
  { name: '#148 an absolute target with a user name', bytes: get('http://me@localhost/x'), ...badHost },
  { name: '#148 an absolute target of another scheme', bytes: get('ftp://localhost/x'), ...badPath },
  { name: '#148 the asterisk', bytes: `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, ...badPath },
  { name: '#149 a fragment', bytes: get('/x#y'), ...badPath },
  { name: '#149 a fragment behind a query', bytes: get('/x?a#y'), ...badPath },
  { name: '#255 Content-Length and Transfer-Encoding', bytes: post(`Content-Length: 5\r\n${chunked}`, END), ...malformed },
  { name: '#255 Transfer-Encoding and Content-Length', bytes: post(`${chunked}\r\nContent-Length: 5`, END), ...malformed },
  { name: '#255 two lengths', bytes: post('Content-Length: 1\r\nContent-Length: 2', 'ab'), ...malformed },
  { name: '#255 the same length twice', bytes: post('Content-Length: 1\r\nContent-Length: 1', 'a'), ...malformed },
  { name: '#255 a list of lengths', bytes: post('Content-Length: 1, 1', 'a'), ...malformed },
  { name: '#255 a length with a sign', bytes: post('Content-Length: +1', 'a'), ...malformed },
  { name: '#255 a length in hex', bytes: post('Content-Length: 0x1', 'a'), ...malformed },
  { name: '#255 a length beyond all numbers', bytes: post(`Content-Length: ${'9'.repeat(40)}`, 'a'), ...malformed },
  { name: '#255 an empty coding before chunked', bytes: post('Transfer-Encoding: , chunked', END), ...malformed },
  { name: '#255 another coding before chunked', bytes: post('Transfer-Encoding: gzip, chunked', END), ...malformed },
  { name: '#255 another coding', bytes: post('Transfer-Encoding: xchunked', END), ...malformed },
  { name: '#255 chunked twice', bytes: post(`${chunked}\r\n${chunked}`, END), ...malformed },
  { name: '#255 chunked with a vertical tab', bytes: post('Transfer-Encoding: \x0bchunked', END), ...malformed },
  { name: '#255 a space before the colon', bytes: post('Transfer-Encoding : chunked', END), ...malformed },
  { name: '#255 a folded field', bytes: get('/x', `${HOST}X: a\r\n b\r\n`), ...malformed },
  { name: '#255 a line feed alone', bytes: `GET /x HTTP/1.1\n${HOST}\r\n`, ...malformed },
  { name: '#255 a line feed alone between fields', bytes: get('/x', 'Host: localhost\nX: y\r\n'), ...malformed },
  { name: '#255 a carriage return inside of a field', bytes: get('/x', `${HOST}X: a\rb\r\n`), ...malformed },
  { name: '#255 a NUL inside of a field', bytes: get('/x', `${HOST}X: a\0b\r\n`), ...malformed },
  { name: '#255 a chunk size that is none', bytes: post(chunked, 'zz\r\nab\r\n' + END), ...malformed },
  { name: '#255 a chunk longer than it says', bytes: post(chunked, '1\r\nab\r\n' + END), ...malformed },
  { name: '#255 a line feed alone behind a chunk size', bytes: post(chunked, '1\na\r\n' + END), ...malformed },
  { name: '#255 a method nobody knows', bytes: `GETX /x HTTP/1.1\r\n${HOST}\r\n`, ...malformed },
  { name: '#255 a TLS handshake', bytes: '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n', ...malformed },
  { name: '#113 CONNECT', bytes: 'CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n', status: 405, code: 'method_unknown' },
  { name: 'RFC 9110 §10.1.1 another expectation', bytes: get('/x', `${HOST}Expect: a-miracle\r\n`), status: 417, code: 'expectation_unknown' },
  { name: 'RFC 9110 §10.1.1 another expectation besides', bytes: post('Expect: 100-continue, more\r\nContent-Length: 1'), status: 417, code: 'expectation_unknown' },
]

const publicRoute = (url: string) => `- { name: all, path: /*, access: public, upstream: ${url} }`

t.test('refused before anything is decided, and the connection ends', async (t) => {
  const { port, upstream } = await createStage(t, { routes: ({ url }) => publicRoute(url) })
  for (const { name, bytes, status, code } of REFUSED) {
    const response = await sendRaw(port, Buffer.from(bytes, 'latin1'))
    const { requestId, ...body } = JSON.parse(response.body) as Record<string, unknown>
    t.match({ status: response.status, ...body }, { status, code }, name)
    t.match(requestId, /^[\da-f-]{36}$/, `${name}: request id`)
    t.match(response.values('date')[0], / GMT$/, `#252 ${name}: Date`)
    t.same(response.values('connection'), ['close'], `${name}: Connection`)
    t.same(response.values('cache-control'), ['no-store'], `${name}: Cache-Control`)
    t.same(response.values('www-authenticate'), [], `${name}: no challenge`)
  }
  t.same(upstream.requests, [], 'nothing reached the upstream')
})

// prettier-ignore
const FORWARDED = [
  { name: '#133 an empty segment', target: '/a//x', url: '/a//x' },
  { name: '#132 three dots', target: '/a/.../x', url: '/a/.../x' },
  { name: '#132 dots in a name', target: '/a/..b/.c', url: '/a/..b/.c' },
  { name: '#127 an unreserved character, encoded', target: '/%7Ea', url: '/~a' },
  { name: '#128 percent-encoding in lower case', target: '/%c3%bc', url: '/%C3%BC' },
  { name: '#143 parameters', target: '/a;v=1/x', url: '/a;v=1/x' },
  { name: '#148 an absolute target', target: 'http://localhost/x?y', url: '/x?y' },
  { name: '#148 an absolute target with the default port', target: 'http://LOCALHOST:80/x', url: '/x' },
  { name: '#148 an absolute target without a path', target: 'http://localhost?y', url: '/?y' },
  { name: 'a query as it is', target: '/x?a=%7e&b=%2e%2e/../c&d={"e"}', url: '/x?a=%7e&b=%2e%2e/../c&d={"e"}' },
  { name: 'an empty query', target: '/x?', url: '/x' },
]

t.test('forwarded in canonical form', async (t) => {
  const { port, upstream } = await createStage(t, { routes: ({ url }) => publicRoute(url) })
  for (const { name, target, url } of FORWARDED) {
    const response = await sendRaw(port, get(target))
    t.equal(response.status, 200, name)
    t.equal(upstream.requests.at(-1)?.url, url, name)
  }
})
