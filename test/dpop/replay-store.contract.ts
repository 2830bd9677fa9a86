/** What every replay store promises. A new store is one file and a call of this function. */

import type { Test } from 'tap'
import type { ReplayStore } from '../../src/dpop/replay.ts'

const ALICE = 'A'.repeat(43)
const BOB = 'B'.repeat(43)

/** Each is another `jti`, although some look alike once escaped, trimmed, cut or normalised. */
const ODD_JTIS = [
  '',
  ' ',
  ':',
  'a:b',
  'a',
  'b',
  'a\0b',
  'a\0',
  '\0a',
  'a\nb',
  'a\r\nb',
  '+/=',
  '-_',
  '%2B',
  '*',
  '{a}',
  '\u00e9',
  'e\u0301',
  '\u{1f511}',
  `${BOB}\0a`,
  '__proto__',
  'x'.repeat(4096),
  'x'.repeat(4097),
]

/** Whether it was free. */
export async function take(
  store: ReplayStore,
  thumbprint: string,
  jti: string,
  ttlSeconds: number,
): Promise<boolean> {
  return (await store.claim({ thumbprint, jti, ttlSeconds })).isFirst
}

export function replayStoreContract(
  t: Test,
  createStore: (t: Test) => ReplayStore | Promise<ReplayStore>,
): void {
  t.test('#173 the same proof twice', async (t) => {
    const store = await createStore(t)
    t.equal(await take(store, ALICE, 'one', 60), true)
    t.equal(await take(store, ALICE, 'one', 60), false)
    t.equal(await take(store, ALICE, 'one', 60), false)
    t.equal(await take(store, ALICE, 'two', 60), true)
  })

  t.test('#175 same jti, different key', async (t) => {
    const store = await createStore(t)
    t.equal(await take(store, ALICE, 'one', 60), true)
    t.equal(await take(store, BOB, 'one', 60), true)
    t.equal(await take(store, BOB, 'one', 60), false)
  })

  t.test('#172 odd characters in jti', async (t) => {
    const store = await createStore(t)
    for (const jti of ODD_JTIS)
      t.equal(await take(store, ALICE, jti, 60), true, JSON.stringify(jti))
    for (const jti of ODD_JTIS) t.equal(await take(store, ALICE, jti, 60), false)
  })

  t.test('#178 of many claims at once exactly one wins', async (t) => {
    const store = await createStore(t)
    const claims = await Promise.all(
      Array.from({ length: 200 }, () => take(store, ALICE, 'one', 60)),
    )
    t.equal(claims.filter((free) => free).length, 1)
  })
}
