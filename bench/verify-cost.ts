/** What no gateway can do without: one ECDSA P-256 verification, by node:crypto and by openssl. */
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, sign, verify } from 'node:crypto'

const COUNT = 5_000
const KEYS = 64
const dsaEncoding = 'ieee-p1363'

/** CPU microseconds of one by node:crypto. As in the gateway each message is another, by one of many keys. */
export function verifyCost(count = COUNT): number {
  const keys = Array.from({ length: KEYS }, () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  )
  const signed = Array.from({ length: count }, (_, at) => {
    const pair = keys[at % KEYS]
    if (!pair) throw new Error('no keys')
    const data = Buffer.alloc(400, `message ${at} `)
    const signature = sign('sha256', data, { key: pair.privateKey, dsaEncoding })
    return { data, signature, key: pair.publicKey }
  })
  const before = process.cpuUsage()
  for (const { data, signature, key } of signed) {
    if (!verify('sha256', data, { key, dsaEncoding }, signature)) throw new Error('not verified')
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

/** CPU microseconds of one by `openssl speed`, of the hash alone and without reading a message. */
export function opensslVerifyCost(): number | undefined {
  const { stdout, error } = spawnSync('openssl', ['speed', '-mr', '-seconds', '1', 'ecdsap256'], {
    encoding: 'utf8',
  })
  // +F4:<index>:<bits>:<signatures a second>:<verifications a second>, of CPU time.
  const perSecond = /^\+F4:\d+:\d+:[\d.]+:([\d.]+)/m.exec(error ? '' : stdout)?.[1]
  return perSecond === undefined ? undefined : 1_000_000 / Number(perSecond)
}
