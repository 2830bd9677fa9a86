import t from 'tap'
import { addLengthening, outlivedSeconds, rememberSeconds } from '../../src/compose/retention.ts'
import { parseConfig } from '../../src/config/load.ts'

/** `route` is what one of the two routes has otherwise. */
function configOf({ maxAge = '60s', clockSkew = '30s', lifetime = '5m', route = '{}' } = {}) {
  const yaml = `
issuers: { main: { issuer: https://as.example.com, audience: one } }
dpop: { maxAge: ${maxAge}, clockSkew: ${clockSkew} }
nonce: { lifetime: ${lifetime} }
routes:
  - { name: a, path: /a, upstream: 'http://127.0.0.1:3000' }
  - { name: b, path: /b, upstream: 'http://127.0.0.1:3000', dpop: ${route} }
`
  return parseConfig(yaml, { file: 'gateway.yaml', env: {} })
}

const ROWS = [
  { name: 'nothing changes', to: {}, seconds: undefined },
  { name: 'maxAge longer', to: { maxAge: '61s' }, seconds: 90 },
  { name: 'clockSkew longer', to: { clockSkew: '31s' }, seconds: 90 },
  { name: 'nonce lifetime longer', to: { lifetime: '301s' }, seconds: 300 },
  { name: 'age and nonce longer', to: { maxAge: '2m', lifetime: '10m' }, seconds: 90 },
  {
    name: 'age and nonce longer, the nonce was the shorter',
    from: { lifetime: '40s' },
    to: { maxAge: '2m', lifetime: '50s' },
    seconds: 40,
  },
  { name: 'age longer, nonce shorter', to: { maxAge: '2m', lifetime: '60s' }, seconds: 90 },
  { name: 'age shorter, nonce longer', to: { maxAge: '30s', lifetime: '10m' }, seconds: 300 },
  { name: 'maxAge longer by what clockSkew is shorter', to: { maxAge: '80s', clockSkew: '10s' } },
  { name: 'all shorter', to: { maxAge: '30s', clockSkew: '5s', lifetime: '60s' } },
  { name: 'one route longer', to: { route: '{ maxAge: 2m }' }, seconds: 90 },
  {
    name: 'one route longer, and no longer than the other was',
    from: { maxAge: '2m', route: '{ maxAge: 30s }' },
    to: { maxAge: '2m', route: '{ maxAge: 90s }' },
  },
]

for (const { name, from = {}, to, seconds } of ROWS) {
  t.test(name, async (t) => {
    t.equal(outlivedSeconds(configOf(from), configOf(to)), seconds)
  })
}

t.test('remembered as long as any route takes it', async (t) => {
  t.equal(rememberSeconds(configOf()), 90)
  t.equal(rememberSeconds(configOf({ route: '{ maxAge: 2m, clockSkew: 10s }' })), 130)
  t.equal(rememberSeconds(configOf({ route: '{ maxAge: 30s }' })), 90)
})

t.test('of several changes the shortest time and the last moment count', async (t) => {
  const first = addLengthening(undefined, 90, 1000)
  t.strictSame(first, { fromSeconds: 90, at: 1000 })
  t.strictSame(addLengthening(first, 300, 2000), { fromSeconds: 90, at: 2000 })
  t.strictSame(addLengthening(first, 60, 2000), { fromSeconds: 60, at: 2000 })
  t.equal(addLengthening(first, undefined, 2000), first, 'not a change')
  t.equal(addLengthening(undefined, undefined, 2000), undefined)
})
