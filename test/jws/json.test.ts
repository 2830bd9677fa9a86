import t from 'tap'
import { isJsonObject, parseJsonObject } from '../../src/jws/json.ts'

const parse = (text: string) => parseJsonObject(Buffer.from(text))

t.test('objects', async (t) => {
  t.strictSame(parse('{}'), {})
  t.strictSame(parse(' {"a":[1,{"a":"\\"}]"}]}\n'), { a: [1, { a: '"}]' }] })
  t.strictSame(parse('{"a":"é\u{1f511}"}'), { a: 'é\u{1f511}' })
  t.strictSame(parse(String.raw`{"a":"\\","b":"\""}`), { a: '\\', b: '"' })
  t.strictSame(parse('{"a":"a","b":{"a":["a","a"]}}'), { a: 'a', b: { a: ['a', 'a'] } })
})

t.test('#42 #43 no objects', async (t) => {
  for (const text of [
    '',
    'x',
    '[]',
    '"x"',
    '1',
    'null',
    '{',
    '{}{}',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
  ]) {
    t.equal(parse(text), undefined, text)
  }
})

t.test('#44 #45 bytes that are no UTF-8, and a byte order mark', async (t) => {
  const around = (...bytes: number[]) =>
    parseJsonObject(Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]))
  t.strictSame(around(0x62), { a: 'b' })
  for (const bytes of [
    [0xff],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82],
  ]) {
    t.equal(around(...bytes), undefined, String(bytes))
  }
  t.equal(parse('\ufeff{}'), undefined)
  t.strictSame(parse('{"a":"\ufeff"}'), { a: '\ufeff' }, 'inside of a text it is a character')
})

t.test('#50 to #52 a member twice', async (t) => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    String.raw`{"a":1,"\u0061":1}`,
    String.raw`{"\/":1,"/":1}`,
    String.raw`{"\"":1,"\u0022":1}`,
    '{"":1,"":1}',
    '{"a":{"b":1,"b":1}}',
    '{"a":[0,[{"b":1,"b":1}]]}',
    '{"a":{},"a":{}}',
    '{"a":[],"b":{"a":1},"a":"a"}',
    '{"__proto__":1,"__proto__":1}',
    '{ "a" : 1 , "a" : 1 }',
  ]) {
    t.equal(parse(text), undefined, text)
  }
})

t.test('#50 no member twice', async (t) => {
  for (const text of [
    '{"a":1,"A":1}',
    '{"a":"a","b":"a"}',
    '{"a":["b","b"],"b":1}',
    '{"a":{"a":{"a":1}}}',
    '{"a":[{"b":1},{"b":1}]}',
    String.raw`{"a":"\",\"a\":\"","b":1}`,
    String.raw`{"a":"\\","b":"\\"}`,
    '{"é":1,"e\u0301":1}',
  ]) {
    t.strictSame(parse(text), JSON.parse(text), text)
  }
})

t.test('#53 depth', async (t) => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  t.ok(parse(nested(32)))
  t.equal(parse(nested(33)), undefined)
  t.equal(parse(nested(500_000)), undefined)
})

t.test('__proto__ is a member like others', async (t) => {
  const object = parse('{"__proto__":{"typ":"dpop+jwt"}}')
  t.equal(object?.['typ'], undefined)
  t.strictSame(Object.keys(object ?? {}), ['__proto__'])
})

t.test('isJsonObject', async (t) => {
  t.equal(isJsonObject({}), true)
  for (const value of [null, undefined, [], 'x', 1]) t.equal(isJsonObject(value), false)
})
