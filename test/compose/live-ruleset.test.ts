/** What a reload lets go of, and which issuers it waits for. */
import t, { type Test } from 'tap'
import { createAuthority } from '../support/jwks-server.ts'
import { createStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const RELOADS = 50
const PATIENCE_MS = 30_000

async function createFailing(t: Test) {
  const authority = await createAuthority(t)
  authority.behave('error')
  return authority
}

async function isReady({ adminPort }: Stage, component: string): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
  const { components } = (await response.json()) as {
    readonly components: Readonly<Record<string, { readonly ready: boolean }>>
  }
  return components[component]?.ready === true
}

t.test(
  'an issuer that is dropped is not asked again; one that stays down delays none',
  async (t) => {
    const [dropped, stays] = [await createFailing(t), await createFailing(t)]
    const lineOf = (name: string, { issuer }: { readonly issuer: string }) =>
      `${name}: { issuer: '${issuer}', audience: none }\n`
    const stage = await createStage(t, {
      moreIssuers: lineOf('dropped', dropped) + lineOf('stays', stays),
      awaitReady: false,
    })
    await until(() => isReady(stage, 'issuer main'), PATIENCE_MS)
    // The next attempt is due in 2 seconds.
    await until(() => dropped.requests.metadata >= 2, PATIENCE_MS)
    t.ok(await stage.reload((yaml) => yaml.replace(lineOf('dropped', dropped).trim(), '')))
    const [before, since] = [dropped.requests.metadata, stays.requests.metadata]
    // Those of the one that stays are due at once, after 1 second, 3 and 7: the other would be asked twice.
    await until(() => stays.requests.metadata >= since + 4, PATIENCE_MS)
    t.ok(dropped.requests.metadata <= before + 1, 'but for one that was on its way')
    t.equal((await stage.send()).status, 200)
  },
)

t.test('an issuer that was ready and is not any more keeps the one before', async (t) => {
  const stage = await createStage(t)
  stage.authority.behave('error')
  t.notOk(await stage.reload((yaml) => yaml.replace('  main:', '  main:\n    clockSkew: 7s')))
  t.match(
    stage.log().filter(({ msg }) => String(msg).startsWith('configuration not')),
    [{ reason: /^issuer main: / }],
  )
  t.equal((await stage.send()).status, 200, 'by the keys it has')
})

t.test(`${RELOADS} reloads leave nothing open`, async (t) => {
  const stage = await createStage(t)
  // Longer than the test: what stays open was not closed.
  stage.upstream.server.keepAliveTimeout = 10 * PATIENCE_MS
  const open = () => process.getActiveResourcesInfo().length
  const reload = async (count: number) => {
    const change = `  main:\n    clockSkew: ${count}s`
    t.ok(await stage.reload((yaml) => yaml.replace('  main:', change)))
    t.equal((await stage.send()).status, 200)
  }
  await reload(1)
  const before = open()
  for (let count = 2; count <= RELOADS; count += 1) await reload(count)
  // Connections to the issuer and of this client may be new ones.
  await until(() => open() <= before + 2, PATIENCE_MS).catch(() => undefined)
  t.ok(
    open() <= before + 2,
    `${open()} after ${before}: ${process.getActiveResourcesInfo().join()}`,
  )
})
