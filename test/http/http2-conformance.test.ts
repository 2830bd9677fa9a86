/**
 * What is judged is the same over HTTP/1.1 and HTTP/2: one table sent over both on one port, and
 * both get the same answer and show the upstream the same request.
 */
import { once } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http2'
import { connect } from 'node:tls'
import t, { type Test } from 'tap'
import { END_HEADERS, END_STREAM, headerBlock, openFrames, TYPE } from '../support/http2-frames.ts'
import { createTlsStage, openHttp2, request2, type TlsStage } from '../support/http2.ts'
import { requestText, type Header } from '../support/raw-http.ts'
import { readResponse } from '../support/raw-response.ts'

interface Row {
  readonly name: string
  /** The status, and the code where it is refused. */
  readonly answer: string
  /** Default is `/api/orders`. */
  readonly path?: string
  readonly method?: string
  readonly headers?: readonly Header[]
  /** What becomes of the valid Authorization and DPoP. Default is that both are sent. */
  readonly credentials?: (token: string, proof: string) => readonly Header[]
}

const BOTH = (token: string, proof: string): readonly Header[] => [
  ['authorization', `DPoP ${token}`],
  ['dpop', proof],
]
const NONE = (): readonly Header[] => []
const ROOT = 'root'

const refusedPaths = (...paths: readonly string[]): Row[] =>
  paths.map((path) => ({
    name: `path ${path}`,
    path,
    credentials: NONE,
    answer: '400 path_invalid',
  }))
const identities = (...headers: readonly Header[]): Row[] =>
  headers.flatMap((header) => [
    { name: `an identity as ${header[0]}`, headers: [header], answer: '200' },
    {
      name: `and on a public route`,
      headers: [header],
      path: '/x',
      credentials: NONE,
      answer: '200',
    },
  ])

// prettier-ignore
const ROWS: readonly Row[] = [
  { name: 'a valid request', answer: '200' },
  { name: 'a public route', path: '/x?y=1', credentials: NONE, answer: '200' },
  { name: 'a method of no route', path: '/none', method: 'PUT', credentials: NONE, answer: '405 method_unknown' },
  { name: '#2 no credentials', credentials: NONE, answer: '401 credentials_missing' },
  { name: '#4 no proof', credentials: (token) => [['authorization', `DPoP ${token}`]], answer: '400 proof_missing' },
  { name: '#5 a bound token as Bearer', credentials: (token) => [['authorization', `Bearer ${token}`]], answer: '401 token_bound' },
  { name: '#37 two DPoP fields', credentials: (token, proof) => [...BOTH(token, proof), ['dpop', proof]], answer: '401 proof_multiple' },
  { name: '#37 two proofs in one DPoP field', credentials: (token, proof) => BOTH(token, `${proof}, ${proof}`), answer: '401 proof_malformed' },
  { name: 'another htm', method: 'POST', answer: '401 proof_method' },
  { name: 'a token in the query too', path: '/api/orders?access_token=a', answer: '400 credentials_multiple' },
  ...refusedPaths('/a/../x', '/a/%2e%2e/api/orders', '/./x', '/..;/api/orders', '//api/orders', '/x//../api/orders', '/api%2Forders', '/api%5Corders', String.raw`/\api/orders`, '/API/orders', '/x/%252e%252e/api/orders', '/x%00', '/x%', '/x#a'),
  { name: 'an encoded slash below the route', path: '/api/a%2Fb', answer: '200' },
  ...identities(['x-auth-subject', ROOT], ['x_auth_subject', ROOT], ['x.auth.subject', ROOT], ['x-auth_subject', ROOT], ['x!auth!subject', ROOT], ['x-auth-subject~', ROOT], ['x-auth-subject', '']),
  { name: 'X-Forwarded-For and Forwarded', headers: [['x-forwarded-for', '10.0.0.1'], ['forwarded', 'for=10.0.0.1'], ['x-forwarded-host', 'other.example']], answer: '200' },
  { name: '#34 a Host with a user name', headers: [['host', 'a@localhost']], answer: '400 host_invalid' },
]

interface Outcome {
  readonly answer: string
  /** Lines of what the upstream got, without what differs from request to request. */
  readonly received: readonly string[]
}

async function createStage(t: Test) {
  return createTlsStage(t, {
    routes: ({ url }) =>
      [
        `- { name: api, path: /api/*, upstream: ${url} }`,
        `- { name: open, path: /*, methods: [GET], access: public, upstream: ${url} }`,
      ].join('\n'),
  })
}

/** The lines of a row; a proof is good for one request. */
async function linesOf(stage: TlsStage, { path = '/api/orders', ...row }: Row) {
  const token = await stage.mint()
  const proof = await stage.client.proof({ url: stage.url + path, token })
  return [...(row.credentials ?? BOTH)(token, proof), ...(row.headers ?? [])]
}

async function overHttp1(stage: TlsStage, row: Row): Promise<string> {
  const { port, certificates } = stage
  const { path = '/api/orders', method = 'GET' } = row
  const headers = await linesOf(stage, row)
  const socket = connect({ port, host: 'localhost', ca: certificates.ca })
  await once(socket, 'secureConnect')
  socket.write(requestText(port, { method, path, headers }))
  let received = Buffer.alloc(0)
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer])
    const answer = readResponse(received, { head: false, ended: false })
    if (answer) return answerOf(answer)
  }
  throw new Error('no answer')
}

async function overHttp2(stage: TlsStage, row: Row): Promise<string> {
  const headers: OutgoingHttpHeaders = {}
  for (const [name, value] of await linesOf(stage, row)) {
    const before = headers[name]
    headers[name] = before === undefined ? value : [String(before), value]
  }
  const { path = '/api/orders', method = 'GET' } = row
  const session = await openHttp2(t, stage)
  const answer = await request2(session, { ...headers, ':path': path, ':method': method })
  session.close()
  return answerOf(answer)
}

function answerOf({ status, body }: { readonly status: number; readonly body: string }): string {
  const { code } = JSON.parse(body) as { readonly code?: string }
  return code === undefined ? `${status}` : `${status} ${code}`
}

async function outcome(stage: TlsStage, ask: () => Promise<string>): Promise<Outcome> {
  const before = stage.upstream.requests.length
  const answer = await ask()
  const received = stage.upstream.requests.slice(before).flatMap(({ method, url, rawHeaders }) => {
    const fields = rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[at + 1] ?? ''}`] : [],
    )
    return [`${method} ${url}`, ...fields.filter((line) => !line.startsWith('x-request-id')).sort()]
  })
  return { answer, received }
}

t.test('one table over both', async (t) => {
  const stage = await createStage(t)
  for (const row of ROWS) {
    const one = await outcome(stage, () => overHttp1(stage, row))
    const two = await outcome(stage, () => overHttp2(stage, row))
    t.equal(one.answer, row.answer, row.name)
    t.strictSame(two, one, `${row.name}, over HTTP/2`)
    t.equal(two.received.length > 0, row.answer === '200', 'reaches the upstream')
    t.notMatch(two.received.join('\n'), /root/, 'nothing of what is forged')
  }
})

t.test('two Authorization fields, which no client library sends', async (t) => {
  const stage = await createStage(t)
  const twice = {
    name: 'twice',
    answer: '400 credentials_multiple',
    credentials: (token: string, proof: string): readonly Header[] => [
      ['authorization', `DPoP ${token}`],
      ...BOTH(token, proof),
    ],
  }
  t.equal(await overHttp1(stage, twice), twice.answer)
  const frames = await openFrames(t, stage)
  const payload = headerBlock([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', `localhost:${stage.port}`],
    [':path', '/api/orders'],
    ...(await linesOf(stage, twice)),
  ])
  frames.send({ type: TYPE.headers, flags: END_HEADERS | END_STREAM, stream: 1, payload })
  const { payload: body } = await frames.find(({ type }) => type === TYPE.data)
  t.equal(answerOf({ status: 400, body: body.toString() }), twice.answer)
  t.match(stage.log().at(-1), { status: 400, code: 'credentials_multiple' })
  t.strictSame(stage.upstream.requests, [])
})
