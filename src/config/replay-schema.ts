/** The keys of gateway.yaml under `replay`: where used proofs are remembered. */

import { z } from 'zod'
import { findAddressFault, findNodeFault } from '../redis/address.ts'
import { duration } from './quantity.ts'
import { distinct, form, text } from './text.ts'
import { pemFile } from './tls-schema.ts'

const node = text('address', findNodeFault)
const word = text('text', form(/^[^\s\0]+$/, 'must not be empty nor hold a space'))

const credentials = {
  username: word.optional().describe('User of Redis (ACL). Left out: the default user.'),
  password: word.optional().describe('Password of that user.'),
}

const Sentinel = z.strictObject({
  hosts: distinct(node).describe('`host:port` of each Sentinel. One that answers is enough.'),
  name: word.describe('What the Sentinels call the master, such as `mymaster`.'),
  ...credentials,
  db: z.int().min(0).max(999_999_999).default(0).describe('Number of the database.'),
  sentinelUsername: word.optional().describe('User at the Sentinels themselves.'),
  sentinelPassword: word.optional().describe('Password at the Sentinels themselves.'),
})

const Cluster = z.strictObject({
  nodes: distinct(node).describe(
    '`host:port` of some nodes. One that answers is enough: it names the others.',
  ),
  ...credentials,
})

const Tls = z.strictObject({
  ca: pemFile
    .optional()
    .describe(
      'File with the certificates, in PEM, that Redis must be certified by. Left out: those ' +
        'Node comes with.',
    ),
  cert: pemFile
    .optional()
    .describe('File with a client certificate in PEM, where Redis asks for one.'),
  key: pemFile.optional().describe('File with its private key in PEM, not encrypted.'),
  serverName: word
    .optional()
    .describe('The name in the certificates of Redis. Left out: the host that is connected to.'),
})

export const Replay = z.strictObject({
  store: z
    .enum(['memory', 'redis'])
    .default('memory')
    .describe(
      'Where used proofs are remembered. `memory`: in this process, right for one instance; ' +
        '`redis`: shared, so that a proof used at one instance is refused at all.',
    ),
  url: text('Redis URL', findAddressFault)
    .optional()
    .describe(
      'The Redis server: `redis://user:password@host:port/db`, `rediss://` (TLS) or ' +
        '`redis+unix:///path?db=0&username=…&password=…`. With `store: redis` one of `url`, ' +
        '`sentinel` and `cluster` is required; otherwise they are unused.',
    ),
  sentinel: Sentinel.optional().describe('Asks Redis Sentinels which server is the master.'),
  cluster: Cluster.optional().describe('A Redis Cluster.'),
  tls: Tls.optional().describe(
    'TLS to Redis, and to the Sentinels: `{}` is enough to switch it on. With `url` it adds to ' +
      '`rediss://`. Certificates are always verified.',
  ),
  keyPrefix: text('text', form(/^[\x21-\x7e]{0,64}$/, 'at most 64 visible ASCII characters'))
    .prefault('dpop:')
    .describe('What every key in Redis begins with.'),
  timeout: duration({ min: '10ms', max: '5s' })
    .prefault('150ms')
    .describe('How long Redis may take; after that the request is refused with 503.'),
  onOutage: z
    .enum(['refuse', 'nonce', 'local'])
    .default('refuse')
    .describe(
      'What happens while Redis is out of reach. `refuse`: 503; `nonce`: every proof needs a nonce ' +
        'made in the last 10 seconds and since the outage began, and each instance goes by what ' +
        'it has seen itself; `local`: each instance goes by that alone. With both a proof can be ' +
        'used once at every instance; with `nonce` that is one of these seconds.',
    ),
  maxEntries: z
    .int()
    .min(1)
    .max(16_000_000)
    .default(1_000_000)
    .describe(
      'Most proofs remembered in the memory of an instance. When full it refuses with 503: it never forgets.',
    ),
  maxEntriesPerKey: z
    .int()
    .min(1)
    .max(16_000_000)
    .default(250_000)
    .describe(
      'Most live proofs one key may have on one instance, so that no client fills the store for all.',
    ),
  unsafeEviction: z
    .boolean()
    .default(false)
    .describe(
      'Whether a Redis that may evict keys is accepted, although an evicted proof can be used ' +
        'again. Logged at start.',
    ),
})
