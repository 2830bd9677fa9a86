import t from 'tap'
import { readFields } from '../../src/http/fields.ts'
import { clientAddress, readForwarded } from '../../src/http/forwarded.ts'
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
  { name: 'Forwarded, trusted hops are skipped', fields: ['Forwarded', 'for=1.1.1.1, for=203.0.113.5', 'Forwarded', 'for="10.1.2.3:80";by=_x, for=192.0.2.7'], client: '203.0.113.5' },
  { name: 'Forwarded, IPv6 with a port', fields: ['Forwarded', 'for="[2001:db9::1]:4711"'], client: '2001:db9::1' },
  { name: 'Forwarded, a trusted hop in IPv6 with an obfuscated port', fields: ['Forwarded', 'for=203.0.113.5, for="[2001:db8::1]:_p"'], client: '203.0.113.5' },
  { name: 'Forwarded, IPv6 without quotes', fields: ['Forwarded', 'for=[2001:db9::1]'], client: '2001:db9::1' },
  { name: 'Forwarded, an obfuscated name', fields: ['Forwarded', 'for=203.0.113.5, for=_hidden, for=10.1.2.3'], client: '_hidden' },
  { name: 'Forwarded, unknown', fields: ['Forwarded', 'for=unknown'], client: 'unknown' },
  { name: 'Forwarded, a hop that does not say', fields: ['Forwarded', 'for=1.1.1.1, proto=https'], client: 'unknown' },
  { name: 'Forwarded, escaped in quotes', fields: ['Forwarded', String.raw`for="203.0.113\.5"`], client: '203.0.113.5' },
  { name: 'Forwarded, empty elements', fields: ['Forwarded', ', for=203.0.113.5;, ,'], client: '203.0.113.5' },
  { name: 'X-Forwarded-For with ports', fields: ['X-Forwarded-For', '203.0.113.5:1234, 10.1.2.3:99, [2001:db8::1]:80'], client: '203.0.113.5' },
  { name: 'X-Forwarded-For, mapped in hex', fields: ['X-Forwarded-For', '203.0.113.5, ::ffff:a01:203'], client: '203.0.113.5' },
  { name: 'X-Forwarded-For before Forwarded', fields: ['Forwarded', 'for=1.1.1.1', 'X-Forwarded-For', '203.0.113.5'], client: '203.0.113.5' },
]

// A quote left open by a client would take in what the proxy has put behind it.
const MALFORMED = [
  'for="x, for=203.0.113.5;proto=https',
  'host=evil;x=", for=203.0.113.5;by="_p";proto=https',
  'for="a"b',
  'for=a b',
  'for',
  'for=a;for=b',
  '=a',
  'for="a\\',
]

for (const value of MALFORMED) {
  t.test(`Forwarded: ${value} is refused`, async (t) => {
    const read = () => readForwarded(readFields(['Forwarded', value]))
    t.throws(read, { code: 'header_invalid' })
  })
}

t.test('a long Forwarded is read in linear time', async (t) => {
  const value = `${'for=a;b="c\\d",'.repeat(1000)}proto=https`
  t.strictSame(readForwarded(readFields(['Forwarded', value])), { scheme: 'https' })
})

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
  { address: '::FFFF:a00:1', trusted: true },
  { address: '::ffff:b00:1', trusted: false },
  { address: '2001:db8::1%eth0', trusted: true },
  { address: 'fe80::1%eth0', trusted: false },
  { address: '', trusted: false },
]

for (const { address, trusted } of TRUST) {
  t.test(`"${address}" is ${trusted ? '' : 'not '}trusted`, async (t) => {
    t.equal(isTrusted(plainAddress(address)), trusted)
    t.equal(createTrust([])(plainAddress(address)), false, 'by default nobody is')
  })
}
