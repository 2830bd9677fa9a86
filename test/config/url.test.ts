import t from 'tap'
import { findOriginFault, findUrlFault, isExposed, redactPassword } from '../../src/config/url.ts'
import { findAddressFault, readAddress } from '../../src/redis/address.ts'

t.test('http leaves this host, or does not', async (t) => {
  const within = [
    'https://as.example.com',
    'http://localhost:9000',
    'http://as.localhost',
    'http://127.0.0.2',
    'http://[::1]:9000',
  ]
  for (const url of within) t.notOk(isExposed(url), url)
  const beyond = [
    'http://as.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://notlocalhost',
    'http://10.0.0.1',
    'http://[::2]',
  ]
  for (const url of beyond) t.ok(isExposed(url), url)
})

t.test('URLs that are refused', async (t) => {
  const rows = [
    'api.example.com',
    'http:api.example.com',
    'http:///path',
    'ftp://api.example.com',
    'https://api.example.com:99999',
    'https://user@api.example.com',
    'https://api.example.com?a=b',
    'https://api.example.com/#a',
    'https://api.example.com/a/../b',
    'https://api.example.com/a b',
    'https://api.example.com\\a',
    ' https://api.example.com',
  ]
  for (const url of rows) t.type(findUrlFault(url), 'string', url)
  t.equal(findUrlFault('https://api.example.com/v1/'), undefined)
})

t.test('an origin has no path', async (t) => {
  t.equal(findOriginFault('https://api.example.com/'), undefined)
  t.type(findOriginFault('https://api.example.com/v1'), 'string')
})

t.test('Redis URLs', async (t) => {
  const right = [
    'redis://127.0.0.1:6379',
    'rediss://user:p%23ss@redis.example.com/2',
    'redis+unix:///run/redis.sock',
    'redis+unix:///run/redis.sock?db=2&username=gateway&password=p%23+s',
  ]
  for (const url of right) {
    t.equal(findAddressFault(url), undefined, url)
    t.doesNotThrow(() => readAddress(url), url)
  }
  const wrong = [
    'http://127.0.0.1:6379',
    'redis:6379',
    'redis://:p#ss@redis',
    'redis://redis/one',
    'redis://redis?password=x',
    'redis:///1',
    'redis://:100%@redis',
    'redis+unix://',
    'redis+unix://host/run/redis.sock',
    'redis+unix:///run/redis.sock?db=abc',
    'redis+unix:///run/redis.sock?db=',
    'redis+unix:///run/redis.sock?db=1&db=2',
    'redis+unix:///run/redis.sock?tls=true',
    'redis+unix:///run/%zz',
  ]
  for (const url of wrong) {
    t.type(findAddressFault(url), 'string', url)
    t.throws(() => readAddress(url), /^the Redis URL cannot be used: /, url)
  }
})

t.test('who connects to Redis, and where', async (t) => {
  t.strictSame(readAddress('rediss://user:p%23ss@[::1]/2'), {
    options: { username: 'user', password: 'p#ss', db: 2, host: '::1', port: 6379, tls: {} },
    name: '[::1]:6379',
  })
  t.strictSame(readAddress('redis+unix:///run/a%20b.sock?db=3&username=me&password=p%23+s'), {
    options: { username: 'me', password: 'p#+s', db: 3, path: '/run/a b.sock' },
    name: '/run/a b.sock',
  })
})

t.test('a password is not shown', async (t) => {
  t.equal(redactPassword('redis://me:secret@redis/1'), 'redis://me:redacted@redis/1')
  t.notMatch(redactPassword('redis+unix:///run/redis.sock?password=secret'), 'secret')
  t.equal(redactPassword('redis://redis:6379'), 'redis://redis:6379')
})
