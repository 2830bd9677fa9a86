import t from 'tap'
import { readServerInfo } from '../../src/redis/server-info.ts'

const FIELDS = {
  redis_version: '7.2.5',
  loading: '0',
  role: 'master',
  maxmemory: '0',
  maxmemory_policy: 'noeviction',
}

function judge(changes: Readonly<Record<string, string>>, unsafeEviction = false) {
  const fields = Object.entries({ ...FIELDS, ...changes })
  const info = ['# Server', ...fields.map(([name, value]) => `${name}:${value}`), ''].join('\r\n')
  return readServerInfo(info, unsafeEviction)
}

t.test('versions that know SET NX GET', async (t) => {
  for (const [version, expected] of [
    ['6.2.14', false],
    ['5.0.7', false],
    ['7.0.0', true],
    ['8.10.1', true],
    ['10.0.0', true],
  ] as const) {
    t.match(judge({ redis_version: version }), { version, returnsOldValue: expected })
  }
})

for (const [name, changes, problem] of [
  ['a fit server', {}, undefined],
  ['no limit', { maxmemory_policy: 'allkeys-lru' }, undefined],
  ['a limit, nothing evicted', { maxmemory: '1000' }, undefined],
  ['a limit, oldest evicted', { maxmemory: '1', maxmemory_policy: 'volatile-ttl' }, /volatile-ttl/],
  ['a replica', { role: 'slave' }, /is a replica/],
  ['still loading', { loading: '1' }, /still loading/],
] as const) {
  t.test(name, async (t) => {
    if (problem === undefined) t.equal(judge(changes).problem, undefined)
    else t.match(judge(changes).problem, problem)
  })
}

t.test('a server that hides what it does with its memory', async (t) => {
  t.match(readServerInfo('role:master\r\n', false).problem, /policy is unknown/)
  t.equal(readServerInfo('role:master\r\n', true).problem, undefined)
})
