import t from 'tap'
import { z } from 'zod'
import { findNetworkFault, listen } from '../../src/config/address.ts'

t.test('where to listen, there and back', async (t) => {
  const rows = [
    { text: '0.0.0.0:8080', address: { host: '0.0.0.0', port: 8080 } },
    { text: 'localhost:0', address: { host: 'localhost', port: 0 } },
    { text: '[::]:65535', address: { host: '::', port: 65_535 } },
    { text: 'unix:/run/gateway.sock', address: { path: '/run/gateway.sock' } },
  ]
  for (const { text, address } of rows) {
    t.strictSame(listen().parse(text), address)
    t.equal(z.encode(listen(), address), text)
  }
})

t.test('where nobody can listen', async (t) => {
  const rows = ['8080', ':8080', '::1:8080', '[localhost]:80', 'a:65536', 'a:-1', 'unix:run/x', '']
  for (const text of rows) t.notOk(listen().safeParse(text).success, text)
  t.ok(listen().safeParse(`unix:/${'x'.repeat(106)}`).success)
  t.notOk(listen().safeParse(`unix:/${'x'.repeat(107)}`).success, 'longer than sun_path')
})

t.test('networks', async (t) => {
  const right = ['10.0.0.0/8', '10.1.2.3', '0.0.0.0/0', '::1', 'fd00::/8', '::ffff:10.0.0.0/104']
  for (const text of right) t.equal(findNetworkFault(text), undefined, text)
  const wrong = ['10.0.0/8', '10.0.0.0/33', '10.0.0.0/', 'fe80::1%eth0', '::/129', 'localhost', '']
  for (const text of wrong) t.type(findNetworkFault(text), 'string', text)
})
