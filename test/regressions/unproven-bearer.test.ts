/**
 * `identity.token: bearer` also rewrote the token on public routes, where nobody had looked at it: a
 * stolen DPoP token reached the API as a Bearer token that seemed proven.
 */
import t from 'tap'
import { createStage } from '../support/stage.ts'

for (const [mode, basic] of [
  ['bearer', []],
  ['keep', ['Basic YTpi']],
  ['drop', []],
] as const) {
  t.test(`on a public route with token: ${mode}`, async (t) => {
    const { send, mint, upstream } = await createStage(t, {
      settings: `identity: { token: ${mode} }`,
      routes: ({ url }) => `- { name: open, path: /*, access: public, upstream: ${url} }`,
    })
    await send({ path: '/x', credentials: [['Authorization', `DPoP ${await mint()}`]] })
    t.strictSame(upstream.requests.at(-1)?.values('authorization'), [], 'a DPoP token')
    await send({ path: '/x', credentials: [['Authorization', 'Basic YTpi']] })
    t.strictSame(upstream.requests.at(-1)?.values('authorization'), basic, 'anything else')
  })
}
