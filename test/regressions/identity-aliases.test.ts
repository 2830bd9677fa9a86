/**
 * The header aliases of 2025 and 2026: an API gateway removed `X-Auth-Subject` from what clients send
 * and let `X_Auth_Subject` and `X.Auth.Subject` through, which servers behind CGI, WSGI and the like
 * read as the same header. Or a client named the field in `Connection`, so that the gateway removed
 * its own; or sent it as a trailer. The upstream must see the identity of the token and no other.
 */
import t from 'tap'
import type { Header } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

const ROOT = 'root'

// prettier-ignore
const SPOOFS: readonly { readonly name: string; readonly headers: readonly Header[]; readonly body?: string }[] = [
  { name: 'the name itself', headers: [['X-Auth-Subject', ROOT]] },
  { name: 'in another case', headers: [['x-auth-SUBJECT', ROOT]] },
  { name: 'twice', headers: [['X-Auth-Subject', ROOT], ['X-Auth-Subject', ROOT]] },
  { name: 'with an underscore', headers: [['X_Auth_Subject', ROOT]] },
  { name: 'with one underscore', headers: [['X-Auth_Subject', ROOT]] },
  { name: 'with dots', headers: [['X.Auth.Subject', ROOT]] },
  { name: 'with other characters of a token', headers: [['X-Auth-Subject~', ROOT], ['X!Auth!Subject', ROOT], ["X'Auth'Subject", ROOT]] },
  { name: 'that Connection nominates', headers: [['Connection', 'X-Auth-Subject'], ['X-Auth-Subject', ROOT]] },
  { name: 'that Connection nominates in another case', headers: [['Connection', 'close, x-AUTH-subject']] },
  { name: 'of a trailer', headers: [['Transfer-Encoding', 'chunked'], ['Trailer', 'X-Auth-Subject']], body: '1\r\nx\r\n0\r\nX-Auth-Subject: root\r\n\r\n' },
  { name: 'without a value', headers: [['X-Auth-Subject', '']] },
]

/** As a server sees it that takes every other character for a hyphen. */
function readings(rawHeaders: readonly string[] = []): readonly string[] {
  return rawHeaders.filter((_, at) => {
    const name = rawHeaders[at - 1]?.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')
    return at % 2 === 1 && name?.replace(/-+$/, '') === 'x-auth-subject'
  })
}

for (const { name, headers, body = '' } of SPOOFS) {
  t.test(`an identity ${name}`, async (t) => {
    const { send, upstream } = await createStage(t, {
      routes: ({ url }) =>
        [
          `- { name: api, path: /api/*, upstream: ${url} }`,
          `- { name: open, path: /open, access: public, upstream: ${url} }`,
          `- { name: seen, path: /seen, observe: true, upstream: ${url}, identity: { headers: {} } }`,
        ].join('\n'),
    })
    const method = body === '' ? 'GET' : 'POST'
    const request = { method, headers, body, claims: { sub: 'alice' } }
    t.match(await send(request), { status: 200 })
    t.strictSame(readings(upstream.requests.at(-1)?.rawHeaders), ['alice'])
    for (const path of ['/open', '/seen']) {
      t.match(await send({ ...request, path, credentials: [] }), { status: 200 })
      t.equal(upstream.requests.at(-1)?.url, path)
      t.strictSame(readings(upstream.requests.at(-1)?.rawHeaders), [], path)
    }
  })
}
