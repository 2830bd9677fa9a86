import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  createIntrospection,
  type IntrospectionEvent,
  type IntrospectionOptions,
  type Outcome,
} from '../../src/issuer/introspection.ts'
import type { Fault } from '../support/fault.ts'
import { createAuthority } from '../support/jwks-server.ts'
import { createTiming, until } from './manual-timing.ts'

const REST = 1_000
/** No two lines about failures within this time. */
const QUIET = 10_000
const [CONNECTIONS, QUEUE] = [32, 512]

interface Options extends Partial<IntrospectionOptions> {
  /** How much of the injected time each question takes. */
  readonly slowMs?: number
}

/** Asks a real endpoint, at a time the test moves on. */
async function stageOf(t: Test, { slowMs = 0, ...options }: Options = {}) {
  const authority = await createAuthority(t, { client: { method: 'none' } })
  const { introspection: endpoint, introspectionUri } = authority
  const timing = createTiming()
  const events: IntrospectionEvent[] = []
  const measured: (readonly [outcome: Outcome, seconds: number])[] = []
  const introspection = createIntrospection({
    url: () => introspectionUri,
    authentication: {
      async apply() {
        timing.advance(slowMs)
        return {}
      },
    },
    signed: undefined,
    allowHttp: false,
    timeoutMs: 5_000,
    report: (event) => void events.push(event),
    measure: (...sample) => void measured.push(sample),
    timing,
    ...options,
  })
  t.teardown(introspection.close)
  const fail = async (behaviour: number | Fault, times: number) => {
    endpoint.behave(behaviour)
    for (let count = 0; count < times; count++) {
      await t.rejects(introspection.ask('x'), { code: 'issuer_unavailable' })
    }
    endpoint.behave('ok')
  }
  const asked = () => endpoint.requests.length
  return { introspection, endpoint, timing, events, measured, fail, asked }
}

const RESTING = { code: 'issuer_unavailable', detail: /^not asked again yet: .+ status 503$/ }

t.test('#240 five failures in a row: a rest of a second, then one probe', async (t) => {
  const { introspection, endpoint, timing, fail, asked } = await stageOf(t)
  await fail(503, 5)
  t.equal(asked(), 5)
  await t.rejects(introspection.ask('x'), RESTING)
  timing.advance(REST - 1)
  await t.rejects(introspection.ask('x'), RESTING)
  t.equal(asked(), 5, 'not asked while it rests')

  timing.advance(1)
  endpoint.behave(503)
  await Promise.allSettled(Array.from({ length: 10 }, () => introspection.ask('x')))
  t.equal(asked(), 6, 'one finds out for all')
  endpoint.behave('ok')
  await t.rejects(introspection.ask('x'), RESTING)
  timing.advance(REST)
  t.match(await introspection.ask('x'), { active: false })
  t.match(await introspection.ask('x'), { active: false }, 'one answer closes it')
  t.equal(asked(), 8)
})

t.test('failures that are not in a row', async (t) => {
  const { introspection, fail, asked } = await stageOf(t)
  for (let round = 0; round < 3; round++) {
    await fail(503, 4)
    t.match(await introspection.ask('x'), { active: false })
  }
  t.equal(asked(), 15)
})

t.test('what is a sign of an outage', async (t) => {
  for (const behaviour of [429, 502, 503, 504, 'reset'] as const) {
    const { introspection, fail } = await stageOf(t)
    await fail(behaviour, 5)
    const resting = { code: 'issuer_unavailable', detail: /^not asked again yet/ }
    await t.rejects(introspection.ask('x'), resting, String(behaviour))
  }
  const cause = new Error('the endpoint is not known yet')
  const { introspection } = await stageOf(t, {
    url() {
      throw cause
    },
  })
  const unknown = { code: 'issuer_unavailable', detail: cause.message, cause }
  for (let count = 0; count < 5; count++) await t.rejects(introspection.ask('x'), unknown)
  const resting = { code: 'issuer_unavailable', detail: `not asked again yet: ${cause.message}` }
  await t.rejects(introspection.ask('x'), resting)
})

t.test('what is none: a client could send a token that makes it so', async (t) => {
  const faults = [400, 401, 403, 404, 413, 500, 'html', 'redirect', 'array', 'cut'] as const
  for (const behaviour of faults) {
    const { introspection, fail, asked } = await stageOf(t)
    await fail(behaviour, 10)
    t.match(await introspection.ask('x'), { active: false }, String(behaviour))
    t.equal(asked(), 11)
  }
  const { introspection, endpoint, asked } = await stageOf(t)
  const expired = endpoint.issue({ exp: 1 })
  for (const token of ['unknown', endpoint.answer({ active: false }), expired]) {
    for (let count = 0; count < 5; count++) {
      t.type((await introspection.ask(token)).active, 'boolean')
    }
  }
  t.equal(asked(), 15, 'however bad it is for the token')
})

t.test('the log has a line for a change alone', async (t) => {
  const { introspection, timing, events, fail } = await stageOf(t)
  await introspection.ask('x')
  t.strictSame(events, [], 'none while it works')
  await fail(500, 4)
  timing.advance(QUIET)
  await fail(403, 4)
  timing.advance(REST)
  await introspection.ask('x')
  await introspection.ask('x')
  timing.advance(QUIET)
  await fail(403, 1)
  t.match(events, [
    { level: 'error', message: /^introspection failed: .*the answer has status 500$/ },
    { level: 'error', message: /status 403.+ does not take the credentials/ },
    { level: 'info', message: 'introspection works again' },
    { level: 'error', message: /status 403/ },
  ])
  t.equal(events.length, 4)
})

t.test('what a client can bring about does not fill the log', async (t) => {
  const { introspection, timing, events, fail } = await stageOf(t)
  for (let count = 0; count < 20; count++) {
    await fail(count % 2 === 0 ? 500 : 403, 1)
    await introspection.ask('x')
  }
  t.equal(events.length, 2, 'that it fails, and that it works again')
  timing.advance(QUIET)
  await fail(500, 1)
  t.equal(events.length, 3)
})

t.test('every question that was asked is measured', async (t) => {
  const { introspection, endpoint, measured, fail } = await stageOf(t, { slowMs: 250 })
  await introspection.ask(endpoint.issue())
  await introspection.ask('unknown')
  await introspection.ask(endpoint.answer({ active: 'true' })).catch(() => undefined)
  t.strictSame(measured.splice(0), [
    ['active', 0.25],
    ['inactive', 0.25],
    ['failed', 0.25],
  ])
  await fail(503, 6)
  t.equal(measured.length, 5, 'one that is refused while it rests was not asked')
})

/** An endpoint that keeps its answers until it is told to give them. */
async function startHolding(t: Test) {
  const held = new Set<ServerResponse>()
  const state = { most: 0, isReleased: false }
  const answer = (response: ServerResponse) => {
    held.delete(response)
    response.end('{"active":true}')
  }
  const server = createServer((request, response) => {
    request.resume()
    held.add(response)
    state.most = Math.max(state.most, held.size)
    if (state.isReleased) answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held,
    most: () => state.most,
    release: () => {
      state.isReleased = true
      for (const response of held) answer(response)
    },
  }
}

t.test('#240 more wait than the queue holds: refused, and no sign of an outage', async (t) => {
  const { url, held, most, release } = await startHolding(t)
  const { introspection, events, measured } = await stageOf(t, { url, timeoutMs: 60_000 })
  const waiting = Array.from({ length: CONNECTIONS + QUEUE }, () => introspection.ask('x'))
  const settled = Promise.allSettled(waiting)
  for (let count = 0; count < 10; count++) {
    await t.rejects(introspection.ask('x'), { code: 'overloaded' })
  }
  await until(() => held.size === CONNECTIONS)
  // One failure: had those ten counted as well, nothing would be asked any more.
  const [first] = held
  if (first) first.writeHead(503).end(() => held.delete(first))
  await until(() => events.length === 1)
  const another = introspection.ask('x')
  await t.rejects(introspection.ask('x'), { code: 'overloaded' }, 'one has gone, one has come')
  release()
  t.strictSame(await another, { active: true })
  const fulfilled = (await settled).filter(({ status }) => status === 'fulfilled')
  t.equal(fulfilled.length, CONNECTIONS + QUEUE - 1)
  t.equal(measured.length, CONNECTIONS + QUEUE + 1, 'those refused were not asked')
  t.equal(most(), CONNECTIONS, 'connections of its own, and no more')
  await t.resolves(introspection.ask('x'), 'room again')
})

t.test('closing breaks off what is under way, and what waits', async (t) => {
  const { url, held } = await startHolding(t)
  const { introspection } = await stageOf(t, { url, timeoutMs: 60_000 })
  const waiting = Promise.allSettled(
    Array.from({ length: CONNECTIONS + 3 }, () => introspection.ask('x')),
  )
  await until(() => held.size === CONNECTIONS)
  introspection.close()
  const refused = { status: 'rejected', reason: { code: 'issuer_unavailable' } }
  t.match(await waiting, Array(CONNECTIONS + 3).fill(refused))
  t.equal(held.size, CONNECTIONS, 'nothing is asked again')
})

t.test('answers that no client should be able to make the others pay for', async (t) => {
  const { introspection, endpoint, fail } = await stageOf(t)
  const large = endpoint.issue({ padding: 'x'.repeat(70_000) })
  for (let count = 0; count < 10; count++) {
    await t.rejects(introspection.ask(large), { code: 'issuer_unavailable', detail: /longer/ })
  }
  await fail(500, 10)
  await fail(400, 10)
  t.match(await introspection.ask('other'), { active: false })
})
