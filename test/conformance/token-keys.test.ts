/**
 * #215 and #230 through a whole gateway: the issuer fails after it has been asked once. Tokens with
 * known keys pass meanwhile, and made-up ones with unknown keys make nobody ask it again and again.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Pool } from 'undici'
import type { Authority, Behaviour } from '../support/jwks-server.ts'
import { openRaw, requestText } from '../support/raw-http.ts'
import { createStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { outcome } from './table.ts'

const MIB = 1024 * 1024
const UNAVAILABLE = 'issuer_unavailable'

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Credentials in the name of the issuer, of a key that nobody has. */
function madeUp({ issuer }: Authority) {
  const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: randomUUID() })
  const token = `${header}.${encode({ iss: issuer })}.${'A'.repeat(86)}`
  // The token is looked at before the proof, so that none needs to be signed.
  return { Authorization: `DPoP ${token}`, DPoP: 'proof' }
}

const codeIn = (body: string) => /"code":"(\w+)"/.exec(body)?.[1] ?? body

/** Sends made-up tokens at once, each over a connection of its own. Collects the codes. */
function flood(t: Test, { port, authority }: Stage, count = 36) {
  const codes: string[] = []
  const send = async () => {
    const connection = await openRaw(port)
    t.teardown(connection.destroy)
    const headers = Object.entries(madeUp(authority))
    connection.write(requestText(port, { path: '/api/x', headers }))
    codes.push(codeIn((await connection.read({ deadlineMs: 30_000 })).body))
  }
  return { codes, done: Promise.all(Array.from({ length: count }, send)) }
}

/** With a token that was not seen before. */
const sendValid = async (stage: Stage) => outcome(await stage.send())

/**
 * Most fetches that time alone brings about: one that failed is repeated after 1, 2, 4 … 30 s, up
 * to a tenth early.
 */
function retriesWithin(milliseconds: number): number {
  let count = 0
  for (let at = 900; at <= milliseconds; at += Math.min(900 * 2 ** count, 27_000)) count += 1
  return count
}

/** Made-up tokens come, and valid ones. `fetches` counts how often the keys were asked for. */
async function weather(t: Test, stage: Stage, fetches: () => number, code = UNAVAILABLE) {
  const [before, since] = [fetches(), performance.now()]
  t.equal(await sendValid(stage), '200', 'before')
  t.equal(fetches(), before, 'a known key needs no fetch')

  const first = flood(t, stage)
  await until(() => fetches() > before)
  t.equal(await sendValid(stage), '200', 'meanwhile')
  await first.done
  const second = flood(t, stage)
  await second.done
  t.strictSame([...new Set([...first.codes, ...second.codes])], [code])
  t.equal(await sendValid(stage), '200', 'afterwards')
  const most = code === UNAVAILABLE ? 1 + retriesWithin(performance.now() - since) : 1
  t.ok(fetches() - before <= most, `${fetches() - before} fetches, at most ${most}`)
}

const FAILURES: readonly Behaviour[] = ['error', 'html', 'redirect', 'empty', 'invalid', 'reset']

for (const behaviour of FAILURES) {
  t.test(`#215 #230 the issuer answers with ${behaviour}`, async (t) => {
    const stage = await createStage(t)
    const { requests, behave } = stage.authority
    behave(behaviour)
    await weather(t, stage, () => requests.jwks)
    t.equal(requests.elsewhere, 0, 'no redirect is followed')
  })
}

t.test('#215 the issuer is well, and has no such keys', async (t) => {
  const stage = await createStage(t)
  const { requests } = stage.authority
  await weather(t, stage, () => requests.jwks, 'token_signature')
})

/** Gives these keys once, and 50 MiB from then on. */
async function startHuge(t: Test) {
  const sent = { answers: 0, mebibytes: 0 }
  let keys: readonly unknown[] = []
  const spaces = Buffer.alloc(MIB, ' ')
  const pour = (response: ServerResponse) => {
    let left = 50
    const pump = () => {
      for (; left > 0 && !response.destroyed; left--) {
        sent.mebibytes += 1
        if (!response.write(spaces)) break
      }
      if (left === 0) response.end()
    }
    response.on('drain', pump).write('{"keys":[')
    pump()
  }
  const server = createServer((_, response) => {
    sent.answers += 1
    if (sent.answers === 1) response.end(JSON.stringify({ keys }))
    else pour(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    sent,
    issuer: (authority: Authority) => {
      keys = authority.keys()
      return `jwksUri: http://127.0.0.1:${port}/jwks`
    },
  }
}

t.test('#215 #230 the issuer answers with 50 MiB', async (t) => {
  const { sent, issuer } = await startHuge(t)
  const stage = await createStage(t, { issuer })
  await weather(t, stage, () => sent.answers)
  const each = sent.mebibytes / (sent.answers - 1)
  t.ok(each < 25, `given up long before the end, after ${each} MiB`)
})

// An attempt to get the keys takes its full 5 seconds here: side by side they take no longer.
t.jobs = 2
for (const behaviour of ['hang', 'drip'] as const) {
  t.test(`#215 #230 the issuer answers with ${behaviour}`, { buffered: true }, async (t) => {
    const stage = await createStage(t)
    const { requests, behave } = stage.authority
    behave(behaviour)
    const { codes, done } = flood(t, stage)
    await until(() => requests.jwks === 2)
    for (let count = 0; count < 10; count++) t.equal(await sendValid(stage), '200')
    t.strictSame(codes, [], 'nobody waits for the answer but who needs it')
    t.equal(requests.jwks, 2, 'which was asked for once')
    await done
    t.strictSame([...new Set(codes)], [UNAVAILABLE])
    t.equal(await sendValid(stage), '200', 'afterwards')
  })
}

t.test('#215 10,000 unknown keys while the issuer is down', async (t) => {
  const stage = await createStage(t)
  const { authority } = stage
  const pool = new Pool(`http://127.0.0.1:${stage.port}`, { connections: 20 })
  t.teardown(() => pool.destroy())
  const codes = new Map<string, number>()
  const send = async () => {
    const headers = madeUp(authority)
    const { body } = await pool.request({ path: '/api/x', method: 'GET', headers })
    const code = codeIn(await body.text())
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  authority.behave('error')
  const since = performance.now()
  for (let batch = 0; batch < 20; batch++) {
    const all = Promise.all(Array.from({ length: 500 }, send))
    t.equal(await sendValid(stage), '200', 'in between')
    await all
  }
  t.strictSame([...codes], [[UNAVAILABLE, 10_000]])
  const most = 1 + retriesWithin(performance.now() - since)
  const fetches = authority.requests.jwks - 1
  t.ok(fetches <= most, `${fetches} fetches, at most ${most}`)
})
