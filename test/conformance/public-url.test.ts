/** Group D: which URL `htu` must equal, when the gateway is reached under other names than its own. */
import t from 'tap'
import type { Header } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'
import { answerTable, type Row } from './table.ts'

const HERE = 'https://api.example.com'
const at = (origin: string) => ({ claims: { htu: `${origin}/api/orders` } })
const host = (name: string): readonly Header[] => [['Host', name]]
const forwarded: readonly Header[] = [
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'evil.example'],
]

t.test('one URL', async (t) => {
  answerTable(t, await createStage(t), [
    {
      name: '#123 Host with the default port',
      headers: host('api.example.com:443'),
      answer: '200',
    },
    {
      name: '#148 absolute-form',
      ...absolute('api.example.com', 'api.example.com'),
      answer: '200',
    },
    {
      name: '#148 absolute-form for another host than Host',
      ...absolute('evil.example', 'api.example.com'),
      answer: '400 host_invalid',
    },
    {
      name: '#148 absolute-form with a user name',
      ...absolute('user@api.example.com', 'api.example.com'),
      answer: '400 host_invalid',
    },
    { name: '#145 forwarded fields are ignored', headers: forwarded, answer: '200' },
    {
      name: '#145 htu as a client says it was forwarded',
      headers: forwarded,
      proof: at('https://evil.example'),
      answer: '401 proof_target',
    },
  ])
})

function absolute(authority: string, name: string): Pick<Row, 'path' | 'headers' | 'proof'> {
  return { path: `http://${authority}/api/orders`, headers: host(name), proof: at(HERE) }
}

t.test('no URL, nobody trusted', async (t) => {
  const stage = await createStage(t, { server: '' })
  const own = `http://localhost:${stage.port}`
  answerTable(t, stage, [
    { name: '#145 the host of the request', proof: at(own), answer: '200' },
    {
      name: '#145 forwarded fields are ignored',
      headers: forwarded,
      proof: at(own),
      answer: '200',
    },
    {
      name: '#145 htu as a client says it was forwarded',
      headers: forwarded,
      proof: at('https://evil.example'),
      answer: '401 proof_target',
    },
    {
      name: '#139 IDN in htu, punycode in Host',
      headers: host('xn--bcher-kva.example'),
      proof: at('http://bücher.example'),
      answer: '200',
    },
    ...['b\u00fc\tcher.example', 'b\u00fccher.example\\x', 'u@b\u00fccher.example'].map((name) => ({
      name: `#134 #135 #136 beside IDN: ${JSON.stringify(name)}`,
      headers: host('xn--bcher-kva.example'),
      proof: at(`http://${name}`),
      answer: '401 proof_target',
    })),
    {
      name: '#140 trailing dot in htu and Host',
      headers: host('api.example.com.'),
      proof: at('http://api.example.com.'),
      answer: '200',
    },
    {
      name: '#140 trailing dot in Host alone',
      headers: host('api.example.com.'),
      proof: at('http://api.example.com'),
      answer: '401 proof_target',
    },
    {
      name: '#141 IPv6 in two spellings',
      headers: host('[::1]'),
      proof: at('http://[0:0::0001]'),
      answer: '200',
    },
    {
      name: '#141 IPv4 in another spelling',
      headers: host('127.0.0.1'),
      proof: at('http://127.1'),
      answer: '401 proof_target',
    },
    {
      name: '#123 the default port of http in Host',
      headers: host('api.example.com:80'),
      proof: at('http://api.example.com'),
      answer: '200',
    },
  ])
})

t.test('no URL, behind a proxy that is trusted', async (t) => {
  const server = '  trustedProxies: [127.0.0.1]'
  answerTable(t, await createStage(t, { server }), [
    {
      name: '#144 scheme and host as forwarded',
      headers: [
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', 'api.example.com'],
      ],
      proof: at(HERE),
      answer: '200',
    },
    {
      name: '#144 http as the proxy did not say otherwise',
      headers: host('api.example.com'),
      proof: at(HERE),
      answer: '401 proof_target',
    },
  ])
})

t.test('several origins', async (t) => {
  const server = '  publicUrl: [https://api.example.com, https://eu.example.com]'
  answerTable(t, await createStage(t, { server }), [
    ...['api.example.com', 'eu.example.com'].flatMap((name) => [
      { name: `#150 ${name}`, headers: host(name), proof: at(`https://${name}`), answer: '200' },
      {
        name: `#123 ${name}:443`,
        headers: host(`${name}:443`),
        proof: at(`https://${name}`),
        answer: '200',
      },
    ]),
    {
      name: '#150 htu of the one, Host of the other',
      headers: host('api.example.com'),
      proof: at('https://eu.example.com'),
      answer: '401 proof_target',
    },
    {
      name: '#150 an origin that is not configured',
      headers: host('us.example.com'),
      proof: at('https://us.example.com'),
      answer: '421 origin_unknown',
    },
  ])
})

t.test('a prefix that is rewritten', async (t) => {
  const stage = await createStage(t, {
    server: '  publicUrl: https://example.com/edge',
    routes: ({ url }) => `- { name: api, path: /api/*, stripPrefix: /api, upstream: ${url}/v1 }`,
  })
  answerTable(t, stage, [
    { name: '#147 the external path', proof: at('https://example.com/edge'), answer: '200' },
    {
      name: '#147 without the prefix of the public URL',
      proof: at('https://example.com'),
      answer: '401 proof_target',
    },
    {
      name: '#147 the path of the upstream',
      proof: { claims: { htu: 'https://example.com/v1/orders' } },
      answer: '401 proof_target',
    },
  ])
  t.test('#147 reaches the upstream under its own path', async (t) => {
    t.strictSame(
      stage.upstream.requests.map(({ url }) => url),
      ['/v1/orders'],
    )
  })
})
