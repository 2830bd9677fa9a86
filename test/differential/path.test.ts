/**
 * docs/cases.md rows 131-134: of thousands of ways to write a path, none gets without credentials
 * through a public route to what a protected one leads to, on real servers that read each in ways
 * of their own.
 */
import t, { type Test } from 'tap'
import { openRaw, type RawConnection } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'
import { nginxMissing, PROTECTED, startNginx, startNode } from './readers.ts'
import { mutatedTargets } from './targets.ts'

const SEED = 20_260_101
const TARGETS = 6000
const WORKERS = 4

type Ask = (target: string) => Promise<{ readonly status: number; readonly body: string }>

/** Asks over one connection, and a new one where the last answer has ended it. */
function createAsker(t: Test, port: number, host: string): Ask {
  let connection: RawConnection | undefined
  t.teardown(() => connection?.destroy())
  return async (target) => {
    connection ??= await openRaw(port)
    const line = `GET ${target.replace('HOST', host)} HTTP/1.1`
    connection.write(`${line}\r\nHost: ${host}\r\n\r\n`)
    const answer = await connection.read({ deadlineMs: 60_000 })
    if (answer.values('connection').includes('close')) {
      connection.destroy()
      connection = undefined
    }
    return answer
  }
}

async function inTurns(
  targets: readonly string[],
  work: (target: string, turn: number) => Promise<void>,
) {
  const queue = targets.values()
  const turns = Array.from({ length: WORKERS }, async (_, turn) => {
    for (const target of queue) await work(target, turn)
  })
  await Promise.all(turns)
}

t.test('no writing of a protected path', { skip: nginxMissing }, async (t) => {
  const node = await startNode(t)
  const urls = [node, ...(await startNginx(t, node))]
  // Each server under a host of its own, all with the same routes.
  const servers = urls.map((url, nth) => ({ url, host: `s${nth}.example` }))
  const { port } = await createStage(t, {
    server: '',
    routes: () =>
      servers
        .map(
          ({ url, host }, nth) => `\
- { name: rest${nth}, host: ${host}, path: /*, access: public, upstream: "${url}" }
- { name: admin${nth}, host: ${host}, path: /admin/*, upstream: "${url}" }
- { name: secret${nth}, host: ${host}, path: "/api/:id/secret", upstream: "${url}" }
- { name: private${nth}, host: ${host}, path: /private, upstream: "${url}" }`,
        )
        .join('\n'),
  })
  const targets = mutatedTargets(SEED, TARGETS)
  t.ok(targets.length > 4000, `${targets.length} targets`)

  await t.test('the servers know what is protected, and mutations do reach it', async (t) => {
    for (const { url } of servers) {
      const ask = createAsker(t, Number(new URL(url).port), 'localhost')
      for (const path of ['/admin/users', '/api/7/secret', '/private', '/%61dmin/users?x']) {
        t.match(await ask(path), { body: PROTECTED }, `${url} ${path}`)
      }
      for (const path of ['/', '/public/x', '/api/7', '/administrator']) {
        t.match(await ask(path), { status: 200, body: /^public$/ }, `${url} ${path}`)
      }
      const reached: string[] = []
      for (const target of targets.slice(0, 400)) {
        const { body } = await ask(target)
        if (body.includes(PROTECTED)) reached.push(target)
      }
      t.ok(reached.length > 20, `${reached.length} of 400 reach it without a gateway`)
    }
  })

  await t.test('reaches it without credentials', async (t) => {
    const askers = servers.map(({ host }) =>
      Array.from({ length: WORKERS }, () => createAsker(t, port, host)),
    )
    const holes: string[] = []
    const statuses = new Map<number, number>()
    await inTurns(targets, async (target, turn) => {
      for (const [nth, asker] of askers.entries()) {
        const { status, body } = (await asker[turn]?.(target)) ?? { status: 0, body: '' }
        if (nth === 0) statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (body.startsWith(PROTECTED)) holes.push(`${target} on ${nth}: ${body}`)
        // The routes of all hosts are alike: what one refuses, all refuse.
        if (body.startsWith('{')) return
      }
    })
    t.strictSame(holes, [])
    t.comment([...statuses].map(([status, count]) => `${count} x ${status}`).join(', '))
    for (const status of [200, 400, 401]) t.ok((statuses.get(status) ?? 0) > 50, `${status}`)
  })
})
