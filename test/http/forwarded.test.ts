import t from 'tap'
import { readFields } from '../../src/http/fields.ts'
import { clientAddress } from '../../src/http/forwarded.ts'
import { createTrust, plainAddress } from '../../src/http/trust.ts'

const isTrusted = createTrust(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'])

// prettier-ignore
const CLIENTS = [
  { name: 'nothing said', fields: [], client: '10.0.0.1' },
  { name: 'one hop', fields: ['X-Forwarded-For', '203.0.113.5'], client: '203.0.113.5' },
  { name: 'what the client made up stands further left', fields: ['X-Forwarded-For', '1.1.1.1, 203.0.113.5'], client: '203.0.113.5' },
  { name: 'trusted hops are skipped', fields: ['X-Forwarded-For', '203.0.113.5, 192.0.2.7, 10.1.2.3'], client: '203.0.113.5' },
  { name: 'several lines are one list', fields: ['X-Forwarded-For', '203.0.113.5', 'x-forwarded-for', '10.1.2.3'], client: '203.0.113.5' },
  { name: 'only trusted hops', fields: ['X-Forwarded-For', '10.1.1.1, 10.1.2.3'], client: '10.1.1.1' },
  { name: 'no address at all', fields: ['X-Forwarded-For', '203.0.113.5, unknown'], client: 'unknown' },
  { name: 'IPv6', fields: ['X-Forwarded-For', '2001:db9::1, 2001:db8::1'], client: '2001:db9::1' },
  { name: 'IPv4 in IPv6', fields: ['X-Forwarded-For', '::ffff:203.0.113.5, ::ffff:10.0.0.2'], client: '203.0.113.5' },
  { name: 'Forwarded', fields: ['Forwarded', 'for=203.0.113.5'], client: '203.0.113.5' },
  { name: 'Forwarded, of a list the last', fields: ['Forwarded', 'for=1.1.1.1, For="203.0.113.5";proto=https'], client: '203.0.113.5' },
  { name: 'Forwarded, a comma in quotes', fields: ['Forwarded', 'for="203.0.113.5,for=1.1.1.1"'], client: '203.0.113.5,for=1.1.1.1' },
]

for (const { name, fields, client } of CLIENTS) {
  t.test(`the client behind a trusted proxy: ${name}`, async (t) => {
    t.equal(clientAddress(readFields(fields), '10.0.0.1', isTrusted), client)
  })
}

// prettier-ignore
const TRUST = [
  { address: '10.255.0.1', trusted: true },
  { address: '11.0.0.1', trusted: false },
  { address: '192.0.2.7', trusted: true },
  { address: '192.0.2.8', trusted: false },
  { address: '2001:db8:1::1', trusted: true },
  { address: '2001:db9::1', trusted: false },
  { address: '::ffff:10.0.0.1', trusted: true },
  { address: '', trusted: false },
]

for (const { address, trusted } of TRUST) {
  t.test(`"${address}" is ${trusted ? '' : 'not '}trusted`, async (t) => {
    t.equal(isTrusted(plainAddress(address)), trusted)
    t.equal(createTrust([])(plainAddress(address)), false, 'by default nobody is')
  })
}
