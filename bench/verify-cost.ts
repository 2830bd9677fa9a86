/** What no gateway can do without: one ECDSA P-256 verification by node:crypto, keys kept. */
import { generateKeyPairSync, sign, verify } from 'node:crypto'

const COUNT = 5_000
const KEYS = 64
const dsaEncoding = 'ieee-p1363'

/** CPU microseconds of one. As in the gateway each message is another, by one of many keys. */
export function verifyCost(): number {
  const keys = Array.from({ length: KEYS }, () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  )
  const signed = Array.from({ length: COUNT }, (_, at) => {
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
  return (user + system) / COUNT
}
