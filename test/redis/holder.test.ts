import t from 'tap'
import { hasForgotten, readHolder, UNKNOWN_HOLDER } from '../../src/redis/holder.ts'

const FIELDS = {
  run_id: 'a1',
  master_replid: 'b1',
  master_replid2: '0'.repeat(40),
  evicted_keys: '0',
}
const read = (changes: Readonly<Record<string, string>> = {}, unsafeEviction = false) =>
  readHolder(new Map(Object.entries({ ...FIELDS, ...changes })), unsafeEviction)

t.test('what INFO says', async (t) => {
  t.strictSame(readHolder(new Map(), false), UNKNOWN_HOLDER)
  t.strictSame(read({ master_replid2: 'c1', evicted_keys: '7' }), {
    ...{ runId: 'a1', replicationId: 'b1', evicted: 7 },
    hasBeenReplica: true,
  })
  t.equal(read({ evicted_keys: '7' }, true).evicted, 0, 'accepted by unsafeEviction')
})

for (const [name, changes, forgotten] of [
  ['the same', {}, false],
  ['another server, or restarted', { run_id: 'a2' }, true],
  ['its first replica has connected', { master_replid: 'b2' }, false],
  ['it has been a replica', { master_replid: 'b2', master_replid2: 'c1' }, true],
  ['it has been one before that', { master_replid2: 'c1' }, false],
  ['it has evicted', { evicted_keys: '1' }, true],
] as const) {
  t.test(name, async (t) => {
    t.equal(hasForgotten(read(), read(changes)), forgotten)
  })
}

t.test('the count of evicted keys is set back', async (t) => {
  t.equal(hasForgotten(read({ evicted_keys: '5' }), read()), false)
  t.equal(hasForgotten(read({ evicted_keys: '5' }), read({ evicted_keys: '3' })), true)
})
