/** The file of a Unix socket outlives the process that was killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { closeWithin, listen, removeStaleSocket } from '../../src/http/listener.ts'
import { until } from '../support/until.ts'

/** A short path: that of a socket has 107 bytes at most. */
function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'socket-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true })
  })
  return folder
}

t.test('one that nobody listens on is taken over', async (t) => {
  const path = join(folderOf(t), 'gateway.sock')
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)})`
  const killed = spawn(process.execPath, ['-e', code], { stdio: 'ignore' })
  await until(() => existsSync(path), 30_000)
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  t.ok(existsSync(path))
  const server = createHttpServer()
  await removeStaleSocket({ path })
  t.equal(await listen(server, { path }), path)
  await closeWithin(server, 0)
})

t.test('one that is in use, or no socket, stays', async (t) => {
  const folder = folderOf(t)
  const path = join(folder, 'gateway.sock')
  const [one, other] = [createHttpServer(), createHttpServer()]
  await listen(one, { path })
  await removeStaleSocket({ path })
  await t.rejects(listen(other, { path }), { code: 'EADDRINUSE' })
  await closeWithin(one, 0)

  const file = join(folder, 'file')
  writeFileSync(file, 'x')
  await removeStaleSocket({ path: file })
  t.ok(existsSync(file))
  await removeStaleSocket({ path: join(folder, 'none') })
  await removeStaleSocket({ host: '127.0.0.1', port: 0 })
})
