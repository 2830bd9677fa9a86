import t, { type Test } from 'tap'
import { createDiscovery, type DiscoveryOptions } from '../../src/issuer/discovery.ts'
import { createAuthority, type AuthorityOptions } from '../support/jwks-server.ts'
import { createTiming, until } from './manual-timing.ts'

const MINUTE = 60_000

interface Options extends AuthorityOptions, Pick<DiscoveryOptions, 'timeoutMs'> {}

/** The metadata of a real authority, at a time the test moves on. */
async function stageOf(t: Test, { timeoutMs = 5_000, ...options }: Options = {}) {
  const authority = await createAuthority(t, options)
  const timing = createTiming()
  const discovery = createDiscovery({ issuer: authority.issuer, timing, timeoutMs })
  t.teardown(discovery.close)
  return { authority, timing, discovery, asked: () => authority.requests.metadata }
}

t.test('one fetch for many', async (t) => {
  const { authority, discovery, asked } = await stageOf(t)
  t.equal(asked(), 0, 'none before it is needed')
  const all = await Promise.all([
    ...Array.from({ length: 50 }, () => discovery.published()),
    ...Array.from({ length: 50 }, () => discovery.endpoint('token_endpoint')),
  ])
  t.equal(asked(), 1)
  t.match(all[0], { metadata: { jwks_uri: authority.jwksUri } })
  t.equal(all.at(-1), authority.tokenUri)
})

t.test('fresh for a minute', async (t) => {
  const { timing, discovery, asked } = await stageOf(t)
  const first = await discovery.published()
  timing.advance(MINUTE - 1)
  t.equal(await discovery.published(), first)
  t.equal(asked(), 1)
  timing.advance(1)
  await Promise.all([discovery.published(), discovery.endpoint('jwks_uri')])
  t.equal(asked(), 2)
})

t.test('a failure is told to all who wait, and not kept', async (t) => {
  const { authority, discovery, asked } = await stageOf(t)
  authority.behave('error')
  const failed = await Promise.allSettled([discovery.published(), discovery.endpoint('jwks_uri')])
  t.match(failed, Array(2).fill({ status: 'rejected', reason: { message: /status 500/ } }))
  t.equal(asked(), 1)
  authority.behave('ok')
  t.equal(await discovery.endpoint('jwks_uri'), authority.jwksUri)
  t.equal(asked(), 2)
})

t.test('a failure that comes late takes nothing away', async (t) => {
  const { authority, timing, discovery, asked } = await stageOf(t, { timeoutMs: 500 })
  authority.behave('hang')
  const late = discovery.published()
  const rejected = t.rejects(late, { message: /no complete answer in time/ })
  await until(() => asked() === 1)
  timing.advance(MINUTE)
  authority.behave('ok')
  const published = await discovery.published()
  await rejected
  t.equal(await discovery.published(), published)
  t.equal(asked(), 2)
})

t.test('an endpoint that is not published spoils no other', async (t) => {
  const metadata = { token_endpoint: undefined, introspection_endpoint: 'http://as.example/' }
  const { authority, discovery, asked } = await stageOf(t, { metadata })
  await t.rejects(discovery.endpoint('token_endpoint'), { message: /has no token_endpoint/ })
  await t.rejects(discovery.endpoint('introspection_endpoint'), { message: /not an https URL/ })
  t.equal(await discovery.endpoint('jwks_uri'), authority.jwksUri)
  t.equal(asked(), 1)
})

t.test('closing breaks off what is under way', async (t) => {
  const { authority, discovery, asked } = await stageOf(t, { timeoutMs: 60_000 })
  authority.behave('hang')
  const asking = t.rejects(discovery.published(), { message: /aborted/ })
  await until(() => asked() === 1)
  discovery.close()
  await asking
  await t.rejects(discovery.published(), { message: /aborted/ })
  t.equal(asked(), 1, 'and nothing is asked any more')
})
