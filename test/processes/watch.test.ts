/** `server.watch`: a file that changes is read, also where Kubernetes swaps a symbolic link. */
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { startGateway } from '../support/process.ts'
import { until } from '../support/until.ts'
import { createCast } from './cast.ts'

/** Files are looked at every second, and must then stay as they are for more than one. */
const PATIENCE_MS = 30_000

/** A volume of a ConfigMap: its files are links through one link, which is swapped. */
async function mountVolume(t: Test) {
  const cast = await createCast(t)
  const folder = dirname(cast.config)
  const yaml = readFileSync(cast.config, 'utf8')
    .replace('server: {', 'server: { watch: true,')
    .replace('access: public', 'access: "${file:access}"')
  const mounted = join(folder, 'mounted')
  mkdirSync(mounted)
  for (const name of ['gateway.yaml', 'access']) {
    symlinkSync(join('..', '..data', name), join(mounted, name))
  }
  return {
    config: join(mounted, 'gateway.yaml'),
    write(version: string, access: string) {
      const versionFolder = join(folder, version)
      mkdirSync(versionFolder)
      writeFileSync(join(versionFolder, 'gateway.yaml'), yaml)
      writeFileSync(join(versionFolder, 'access'), access)
      symlinkSync(version, `${versionFolder}.link`)
      renameSync(`${versionFolder}.link`, join(folder, '..data'))
    },
  }
}

t.test('a swapped volume is read as a whole, and an invalid one is not taken', async (t) => {
  const volume = await mountVolume(t)
  volume.write('v1', 'public')
  const gateway = await startGateway(t, volume.config)
  await gateway.untilReady()
  const status = async () => (await fetch(`${gateway.traffic}/public/a`)).status
  const count = (msg: string) => gateway.log().filter((line) => line['msg'] === msg).length
  t.equal(await status(), 200)

  volume.write('v2', 'dpop')
  await until(async () => (await status()) === 401, PATIENCE_MS)

  volume.write('v3', 'nonsense')
  const msg = 'configuration not reloaded, the one before stays in force'
  await until(() => count(msg) > 0, PATIENCE_MS)
  t.equal(await status(), 401)
  t.equal(count('configuration reloaded'), 1, 'one for both files')

  volume.write('v4', 'public')
  await until(async () => (await status()) === 200, PATIENCE_MS)
})
