import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { exportPKCS8, generateKeyPair } from 'jose'
import t, { type Test } from 'tap'
import { Agent, buildConnector } from 'undici'
import {
  createNoAuthentication,
  createPrivateKeyJwt,
  createSecretBasic,
  type ClientAuthentication,
} from '../../src/issuer/client-authentication.ts'
import { askEndpoint } from '../../src/issuer/introspection-endpoint.ts'
import { createBearer, createOwnToken } from '../../src/issuer/own-token.ts'
import { readSigningKey } from '../../src/jws/signing-key.ts'
import { createAuthority } from '../support/jwks-server.ts'
import { closedUrl, startRawUpstream } from '../support/raw-upstream.ts'
import { createTiming, until } from './manual-timing.ts'

const MAX_BYTES = 64 * 1024
const ACTIVE = '{"active":true}'
const INACTIVE = '{"active":false}'

interface Options {
  readonly authentication?: ClientAuthentication
  readonly timeoutMs?: number
  readonly connect?: buildConnector.connector
}

/** Asks this URL about the token `t0ken`, over connections that are kept open. */
function askerOf(t: Test, url: string, options: Options = {}) {
  const { authentication = createNoAuthentication('gateway'), timeoutMs = 5_000 } = options
  const { connect } = options
  const dispatcher = new Agent({ connections: 1, pipelining: 1, ...(connect && { connect }) })
  t.teardown(() => dispatcher.destroy())
  const bounds = { allowHttp: false, timeoutMs, maxBytes: MAX_BYTES, dispatcher }
  const endpoint = { url: () => url, authentication, signed: undefined, bounds }
  return async () => {
    const { status, body } = await askEndpoint('t0ken', endpoint)
    return status === 200 ? body.toString() : status
  }
}

function answer(socket: Socket, body = ACTIVE): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

const LOST = {
  'is reset': (socket: Socket) => void socket.resetAndDestroy(),
  'is closed': (socket: Socket) => void socket.end(),
} as const

for (const [name, lose] of Object.entries(LOST)) {
  t.test(`#240 a connection that ${name} instead of an answer: asked once more`, async (t) => {
    const { url, requests } = await startRawUpstream(t, (socket, nth) => {
      if (nth === 1) lose(socket)
      else answer(socket)
    })
    t.equal(await askerOf(t, url)(), ACTIVE)
    t.equal(requests.length, 2)
    t.equal(requests[1], requests[0], 'the same question')
  })

  t.test(`#240 one that was kept open, and ${name}: asked once more`, async (t) => {
    const { url, requests, connections } = await startRawUpstream(t, (socket, nth) => {
      if (nth === 2) lose(socket)
      else answer(socket)
    })
    const ask = askerOf(t, url)
    t.strictSame([await ask(), await ask()], [ACTIVE, ACTIVE])
    t.equal(requests.length, 3)
    t.equal(connections.length, 2)
  })

  t.test(`#240 each connection ${name}: not asked a third time`, async (t) => {
    const { url, requests } = await startRawUpstream(t, lose)
    await t.rejects(askerOf(t, url)(), { message: /^http:/ })
    t.equal(requests.length, 2)
  })
}

t.test('#240 a connection that is refused: tried once more', async (t) => {
  const { url, requests } = await startRawUpstream(t, (socket) => {
    answer(socket)
  })
  const { port: closed } = new URL(await closedUrl())
  const connectTo = buildConnector({})
  for (const refusals of [1, 2]) {
    let attempts = 0
    const ask = askerOf(t, url, {
      connect(options, callback) {
        attempts += 1
        connectTo(attempts > refusals ? options : { ...options, port: closed }, callback)
      },
    })
    if (refusals === 1) t.equal(await ask(), ACTIVE)
    else await t.rejects(ask(), { message: /ECONNREFUSED/ })
    t.equal(attempts, 2)
  }
  t.equal(requests.length, 1)
})

t.test('RFC 7523 §3 (7) an assertion is good for one attempt', async (t) => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const signingKey = readSigningKey(await exportPKCS8(privateKey))
  if (typeof signingKey === 'string') throw new Error(signingKey)
  const authentication = createPrivateKeyJwt({ clientId: 'gateway', audience: 'x', signingKey })
  const { url, requests } = await startRawUpstream(t, (socket, nth) => {
    if (nth === 1) socket.resetAndDestroy()
    else answer(socket)
  })
  t.equal(await askerOf(t, url, { authentication })(), ACTIVE)
  const assertions = requests.map((text) => /client_assertion=([\w.-]+)/.exec(text)?.[1])
  t.match(assertions, [/^eyJ/, /^eyJ/])
  t.equal(new Set(assertions).size, 2)
})

t.test('#240 whatever else goes wrong: asked once', async (t) => {
  const [unavailable, failed] = [503, 500].map((status) => {
    return `HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`
  })
  for (const [name, text] of [
    ['a status that is none of the endpoint', unavailable ?? ''],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['header fields without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
  ] as const) {
    const { url, requests } = await startRawUpstream(t, (socket) => void socket.write(text))
    await t.rejects(askerOf(t, url)(), { message: /^http:/ }, name)
    t.equal(requests.length, 1, name)
  }
  const { url, requests } = await startRawUpstream(t, (socket) => void socket.write(failed ?? ''))
  t.equal(await askerOf(t, url)(), 500, 'a status that may be about the token')
  t.equal(requests.length, 1)
})

/** A client that needs a token of its own, for which it waits a minute. */
async function bearerOf(t: Test, timeoutMs: number) {
  const authority = await createAuthority(t, { client: { method: 'bearer' } })
  const { introspectionUri, tokenUri } = authority
  const timing = createTiming()
  const own = createOwnToken({
    tokenEndpoint: async () => tokenUri,
    authentication: createSecretBasic({ clientId: 'gateway', clientSecret: 's3cret' }),
    scope: undefined,
    bounds: { allowHttp: false, timeoutMs: 60_000, maxBytes: MAX_BYTES },
    timing,
  })
  const ask = askerOf(t, introspectionUri, { authentication: createBearer(own), timeoutMs })
  return { ...authority, timing, ask }
}

const LATE = { message: /^http:.+: no complete answer in time$/ }

t.test('#240 the deadline is for a token of its own as well', async (t) => {
  const { ask, introspection, tokenEndpoint } = await bearerOf(t, 100)
  tokenEndpoint.behave('hang')
  await t.rejects(ask(), LATE)
  t.equal(introspection.requests.length, 0)
})

t.test('#240 the deadline is for another one as well, after the first was refused', async (t) => {
  const { ask, introspection, tokenEndpoint, timing } = await bearerOf(t, 1_000)
  t.equal(await ask(), INACTIVE)
  tokenEndpoint.invalidate()
  tokenEndpoint.behave('hang')
  timing.advance(10_000)
  await t.rejects(ask(), LATE)
  t.equal(introspection.requests.length, 2)
})

t.test('a token that was refused: asked once more with another', async (t) => {
  const { ask, introspection, tokenEndpoint, timing } = await bearerOf(t, 5_000)
  await ask()
  tokenEndpoint.invalidate()
  timing.advance(10_000)
  t.equal(await ask(), INACTIVE)
  const [, refused, taken] = introspection.requests.map(({ headers }) => headers.authorization)
  t.not(refused, taken)
  introspection.behave(401)
  timing.advance(10_000)
  t.equal(await ask(), 401)
  t.equal(introspection.requests.length, 5, 'and not a third time')
  for (const status of [200, 403, 500]) {
    introspection.behave(status)
    timing.advance(10_000)
    await ask()
  }
  t.equal(introspection.requests.length, 8, 'no other status says that it was refused')
})

t.test('#240 the deadline is for both attempts together', async (t) => {
  const timeoutMs = 1_000
  const { url, requests } = await startRawUpstream(t, (socket, nth) => {
    if (nth === 1) setTimeout(() => socket.resetAndDestroy(), 0.9 * timeoutMs)
  })
  const asking = t.rejects(askerOf(t, url, { timeoutMs })(), LATE)
  const both = pause(1.8 * timeoutMs, 'after the time for two')
  t.equal(await Promise.race([asking.then(() => 'in time'), both]), 'in time')
  t.equal(requests.length, 2)
})

t.test('#235 64 KiB, and not a byte more', async (t) => {
  const { url } = await startRawUpstream(t, (socket, nth) => {
    answer(socket, ACTIVE.padEnd(nth === 1 ? MAX_BYTES : MAX_BYTES + 1))
  })
  const ask = askerOf(t, url)
  t.equal(await ask(), ACTIVE.padEnd(MAX_BYTES))
  await t.rejects(ask(), { message: `${url}: the answer is longer than 65536 bytes` })
})

t.test('#235 an answer without end is given up', async (t) => {
  const { url, connections } = await startRawUpstream(t, (socket) => {
    const kilobyte = `400\r\n${' '.repeat(1_024)}\r\n`
    const pump = () => {
      while (!socket.destroyed && socket.write(kilobyte));
    }
    socket.on('drain', pump).write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    pump()
  })
  await t.rejects(askerOf(t, url)(), { message: /longer than 65536 bytes/ })
  await until(() => connections[0]?.destroyed === true)
})

t.test('#240 no token goes where a redirect points', async (t) => {
  let elsewhere = 0
  const other = createServer((_, response) => {
    elsewhere += 1
    response.end(ACTIVE)
  })
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`
  for (const status of [301, 302, 303, 307, 308]) {
    const { url } = await startRawUpstream(t, (socket) => {
      socket.write(`HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)
    })
    t.equal(await askerOf(t, url)(), status)
  }
  t.equal(elsewhere, 0)
})

t.test('no message names the token or the credentials', async (t) => {
  const { ask, introspection, tokenEndpoint } = await bearerOf(t, 500)
  const { requests } = introspection
  for (const fault of [503, 'hang', 'reset', 'large'] as const) {
    introspection.behave(fault)
    const error: unknown = await ask().catch((cause: unknown) => cause)
    const own = requests.at(-1)?.headers.authorization?.slice('Bearer '.length) ?? ''
    t.match(own, /^gateway-/)
    t.match(error, { message: /^http:/ })
    for (const secret of ['t0ken', 's3cret', own]) t.notMatch(String(error), secret, String(fault))
  }
  t.equal(tokenEndpoint.requests.length, 1)
})
