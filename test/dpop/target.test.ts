import t from 'tap'
import { canonicalAuthority, canonicalPath, canonicalTarget } from '../../src/dpop/target.ts'
import { lines } from '../vectors/vectors.ts'

/** Two URIs, with a space between them. */
const pair = (line: string) => line.split(' ') as [string, string]

t.test('the same target', async (t) => {
  for (const line of lines('htu-same.txt')) {
    const [a, b] = pair(line)
    const canonical = canonicalTarget(b)
    t.ok(canonical, b)
    t.equal(canonicalTarget(a), canonical, line)
  }
})

t.test('another target, or none', async (t) => {
  for (const line of lines('htu-different.txt')) {
    const [a, b] = pair(line)
    const canonical = canonicalTarget(a)
    t.ok(canonical, a)
    t.not(canonicalTarget(b), canonical, line)
  }
})

t.test('#135 white space, which the lists above cannot hold', async (t) => {
  for (const host of ['api.example.com', 'bücher.example']) {
    const valid = `https://${host}/a`
    t.ok(canonicalTarget(valid))
    for (let at = 0; at <= valid.length; at++) {
      for (const space of [' ', '\t', '\n', '\r', '\0', '\u00a0']) {
        const uri = valid.slice(0, at) + space + valid.slice(at)
        t.not(canonicalTarget(uri), canonicalTarget(valid), JSON.stringify(uri))
      }
    }
  }
})

t.test('#142 characters outside ASCII', async (t) => {
  t.equal(canonicalTarget('https://h/\u{1f511}'), 'https://h/%F0%9F%94%91')
  t.equal(canonicalTarget('https://h/\ud800'), undefined, 'a surrogate alone is no character')
  t.equal(canonicalPath('/ü'), undefined, 'of a request they are an error')
})

t.test('#151 long ones, in linear time', async (t) => {
  t.equal(canonicalTarget(`https://h/${'%7e'.repeat(100_000)}`), `https://h/${'~'.repeat(100_000)}`)
  for (const unit of ['%', '%2F.;', '/.;', 'é', '/..;%2F', '%2e', ':']) {
    canonicalTarget(`https://h/${unit.repeat(100_000)}`)
    canonicalTarget(`https://${unit.repeat(100_000)}`)
  }
})

t.test('#122 #123 authorities', async (t) => {
  t.equal(canonicalAuthority('API.example.com:443', 'https'), 'api.example.com')
  t.equal(canonicalAuthority('API.example.com:443', 'http'), 'api.example.com:443')
  t.equal(canonicalAuthority('h:65535', 'http'), 'h:65535')
  for (const authority of [
    '',
    ':80',
    'h:',
    'h:0',
    'h:65536',
    'h:080',
    'h:-1',
    'h h',
    'a@b',
    'h/',
    '[]',
  ]) {
    t.equal(canonicalAuthority(authority, 'http'), undefined, JSON.stringify(authority))
  }
})

t.test('#131 #132 #134 dot segments and what some servers take for them', async (t) => {
  for (const path of [
    ...['/.', '/..', '/./', '/../', '/a/..', '/a/./b', '/%2e', '/%2E%2e/', '/.%2e', '/a/..;x/b'],
    ...['/..;', '/a%2F..%2Fb', '/a%2f..', '/a%5c..', '/%5C../b', '/a%2f.;x/b', '/\\..', '/a\\b'],
    ...[
      '/%00',
      '/a%00b',
      '/%',
      '/%2',
      '/%gg',
      '',
      'a',
      '*',
      '/a b',
      '/a"',
      '/<',
      '/[',
      '/{',
      '/|',
      '/^',
    ],
  ]) {
    t.equal(canonicalPath(path), undefined, JSON.stringify(path))
  }
  for (const path of [
    '/',
    '/...',
    '/.a',
    '/a.',
    '/a..b',
    '/a..',
    '//',
    '/;..',
    '/a;x/b',
    '/%2525',
  ]) {
    t.equal(canonicalPath(path), path, path)
  }
})
