/** Heads of HTTP/2 that a client library would not send (RFC 9113 §8.2, §8.3): none gets through. */
import t from 'tap'
import {
  END_HEADERS,
  END_STREAM,
  headerBlock,
  openFrames,
  TYPE,
  type Frame,
  type Line,
} from '../support/http2-frames.ts'
import { createTlsStage } from '../support/http2.ts'

// `:status` in the static table (RFC 7541, Appendix A).
const BYTE_200 = 0x88
const BYTE_400 = 0x8c

const valid = (port: number): Line[] => [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', `localhost:${port}`],
  [':path', '/x'],
]
const instead = (lines: Line[], name: string, value: string): Line[] =>
  lines.map((line) => (line[0] === name ? [name, value] : line))

interface Case {
  readonly name: string
  readonly lines: (valid: Line[]) => Line[]
}

const added = (...more: Line[]) => ({ lines: (lines: Line[]) => [...lines, ...more] })
const changed = (name: string, value: string) => ({
  lines: (lines: Line[]) => instead(lines, name, value),
})
const without = (name: string) => ({
  lines: (lines: Line[]) => lines.filter((line) => line[0] !== name),
})

interface Passing extends Case {
  /** A field that arrives, and its values. */
  readonly arrives?: readonly [name: string, ...values: string[]]
}

const PASSES: readonly Passing[] = [
  { name: 'a head like any other', lines: (lines) => lines },
  { name: '§8.2.1 a field', ...added(['x-a', 'b']), arrives: ['x-a', 'b'] },
  { name: '§8.2.1 an empty value', ...added(['x-a', '']), arrives: ['x-a', ''] },
  { name: '§8.2.1 a name twice', ...added(['x-a', 'b'], ['x-a', 'c']), arrives: ['x-a', 'b', 'c'] },
  { name: '§8.2.2 te of trailers', ...added(['te', 'trailers']), arrives: ['te'] },
  { name: '§8.3.1 Host in the place of :authority', lines: hostInstead },
  { name: '§8.1.1 a length of none', ...added(['content-length', '0']) },
]

function hostInstead(lines: Line[]): Line[] {
  return lines
    .flatMap((line): Line[] => (line[0] === ':authority' ? [] : [line]))
    .concat([['host', lines.find(([name]) => name === ':authority')?.[1] ?? '']])
}

t.test('what is well-formed gets through', async (t) => {
  const stage = await createTlsStage(t)
  for (const { name, lines, arrives } of PASSES) {
    const frames = await openFrames(t, stage)
    const payload = headerBlock(lines(valid(stage.port)))
    frames.send({ type: TYPE.headers, flags: END_HEADERS | END_STREAM, stream: 1, payload })
    const { type, payload: head } = await frames.find(isEnd)
    t.strictSame([type, head[0]], [TYPE.headers, BYTE_200], name)
    const received = stage.upstream.requests.at(-1)
    t.match(received, { method: 'GET', url: '/x' }, name)
    const [field, ...values] = arrives ?? []
    if (field !== undefined) t.strictSame(received?.values(field), values, name)
    frames.socket.destroy()
  }
  t.equal(stage.upstream.requests.length, PASSES.length)
})

const REFUSED: readonly Case[] = [
  { name: '§8.2.2 transfer-encoding', ...added(['transfer-encoding', 'chunked']) },
  { name: '§8.2.2 connection', ...added(['connection', 'x-user'], ['x-user', 'a']) },
  { name: '§8.2.2 keep-alive', ...added(['keep-alive', 'timeout=5']) },
  { name: '§8.2.2 proxy-connection', ...added(['proxy-connection', 'keep-alive']) },
  { name: '§8.2.2 upgrade', ...added(['upgrade', 'websocket']) },
  { name: '§8.2.2 te other than trailers', ...added(['te', 'gzip']) },
  { name: '§8.2.1 an upper-case name', ...added(['X-User', 'a']) },
  { name: '§8.3 a pseudo-header field twice', ...added([':path', '/admin']) },
  { name: '§8.3 another pseudo-header field', ...added([':user', 'a']) },
  {
    name: '§8.3 a pseudo-header field behind a field',
    lines: ([method, ...rest]) => [...rest, ['x-a', 'b'], ...(method ? [method] : [])],
  },
  { name: '§8.3.1 no :path', ...without(':path') },
  { name: '§8.3.1 no :method', ...without(':method') },
  { name: '§8.3.1 no :scheme', ...without(':scheme') },
  { name: '§8.3.1 an empty :path', ...changed(':path', '') },
  { name: '§8.3.1 :path without a slash', ...changed(':path', 'x') },
  { name: '§8.3.1 :path with a URL', ...changed(':path', 'https://localhost/x') },
  { name: '§8.3.1 :path with a space', ...changed(':path', '/x HTTP/1.1') },
  { name: '§8.3.1 :path with a line end', ...changed(':path', '/x\r\nx-user: a') },
  { name: '§8.3.1 :path of OPTIONS *', ...changed(':path', '*') },
  { name: '§8.3.1 :path with a fragment', ...changed(':path', '/x#a') },
  { name: '§8.3.1 :path with dot segments', ...changed(':path', '/a/../x') },
  { name: '§8.3.1 :scheme of plain HTTP', ...changed(':scheme', 'http') },
  { name: '§8.3.1 Host that differs from :authority', ...added(['host', 'other.example']) },
  { name: '§8.3.1 two times Host', ...added(['host', 'a'], ['host', 'a']) },
  { name: '§8.3.1 neither Host nor :authority', ...without(':authority') },
  { name: '§8.3.1 :authority with a user name', ...changed(':authority', 'a@localhost') },
  { name: '§8.3 :method with a space', ...changed(':method', 'GET /admin') },
  { name: '§8.3 :method that HTTP/1.1 does not know', ...changed(':method', 'BREW') },
  { name: '§8.1.1 two lengths', ...added(['content-length', '0'], ['content-length', '1']) },
  { name: '§8.1.1 a length without a body', ...added(['content-length', '5']) },
]

t.test('what is malformed is reset or answered 400', async (t) => {
  const stage = await createTlsStage(t)
  for (const { name, lines } of REFUSED) {
    const frames = await openFrames(t, stage)
    frames.send({
      type: TYPE.headers,
      flags: END_HEADERS | END_STREAM,
      stream: 1,
      payload: headerBlock(lines(valid(stage.port))),
    })
    const { type, payload } = await frames.find(isEnd)
    t.ok(type !== TYPE.headers || payload[0] === BYTE_400, name)
    frames.socket.destroy()
  }
  t.strictSame(stage.upstream.requests, [])
})

const LEFT_OUT: readonly Case[] = [
  { name: '§8.2.1 a value with a line end', ...added(['x-a', 'b\r\nx-user: c']) },
  { name: '§8.2.1 a value with NUL', ...added(['x-a', 'b\0c']) },
  { name: '§8.2.1 a name with a colon', ...added(['x-a:b', 'c']) },
  { name: '§8.2.1 a name with a space', ...added(['x-a b', 'c']) },
]

t.test('a field with such bytes never arrives', async (t) => {
  const stage = await createTlsStage(t)
  for (const { name, lines } of LEFT_OUT) {
    const frames = await openFrames(t, stage)
    const payload = headerBlock(lines(valid(stage.port)))
    frames.send({ type: TYPE.headers, flags: END_HEADERS | END_STREAM, stream: 1, payload })
    await frames.find(isEnd)
    const sent = stage.upstream.requests.flatMap(({ rawHeaders }) => rawHeaders).join('\n')
    t.notMatch(sent, /x-user|x-a/, name)
    frames.socket.destroy()
  }
})

t.test('CONNECT and TRACE get nowhere', async (t) => {
  const stage = await createTlsStage(t)
  for (const method of ['CONNECT', 'TRACE']) {
    const frames = await openFrames(t, stage)
    const lines = instead(valid(stage.port), ':method', method).filter(
      ([name]) => method === 'TRACE' || name === ':method' || name === ':authority',
    )
    const payload = headerBlock(lines)
    frames.send({ type: TYPE.headers, flags: END_HEADERS | END_STREAM, stream: 1, payload })
    await frames.find(isEnd)
    frames.socket.destroy()
  }
  t.match(
    stage.log().filter(({ msg }) => msg === 'request'),
    [
      { method: 'CONNECT', code: 'method_unknown', status: 405 },
      { method: 'TRACE', status: /4\d\d/ },
    ],
  )
  t.strictSame(stage.upstream.requests, [])
})

function isEnd({ type, stream }: Frame): boolean {
  return type === TYPE.goaway || (stream === 1 && (type === TYPE.headers || type === TYPE.reset))
}
