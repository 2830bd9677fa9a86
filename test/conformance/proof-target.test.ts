/** Group D: method and URL of a proof (RFC 9449 §4.3 (8) and (9), RFC 3986 §6.2). */
import t from 'tap'
import { createStage } from '../support/stage.ts'
import { answerTable, sendRow, type Row } from './table.ts'

const htm = (value: unknown) => ({ claims: { htm: value } })
const htu = (value: unknown) => ({ claims: { htu: value } })
const HERE = 'https://api.example.com'

const method: Row[] = [
  { name: '#107 htm missing', proof: { omit: ['htm'] }, answer: '401 proof_claim_missing' },
  ...['', ' ', 1, null, true, ['GET'], { GET: 1 }].map((value) => ({
    name: `#107 htm ${JSON.stringify(value)}`,
    proof: htm(value),
    answer: '401 proof_claim_missing',
  })),
  { name: '#108 htm differs', proof: htm('PUT'), answer: '401 proof_method' },
  { name: '#108 htm GET for PUT', method: 'PUT', proof: htm('GET'), answer: '401 proof_method' },
  { name: '#109 htm in lower case', proof: htm('get'), answer: '401 proof_method' },
  { name: '#109 htm with a space', proof: htm('GET '), answer: '401 proof_method' },
  { name: '#110 HEAD with htm HEAD', method: 'HEAD', answer: '200' },
  {
    name: '#111 a method override is ignored',
    headers: [['X-HTTP-Method-Override', 'DELETE']],
    answer: '200',
  },
  {
    name: '#111 htm of a method override',
    headers: [['X-HTTP-Method-Override', 'DELETE']],
    proof: htm('DELETE'),
    answer: '401 proof_method',
  },
  { name: '#112 PROPFIND', method: 'PROPFIND', answer: '200' },
  { name: '#113 TRACE', method: 'TRACE', answer: '405 method_unknown' },
  { name: '#113 CONNECT', method: 'CONNECT', path: 'x:443', answer: '405 method_unknown' },
]

const target: Row[] = [
  { name: '#114 htu missing', proof: { omit: ['htu'] }, answer: '401 proof_claim_missing' },
  ...['', ' ', 1, null, [`${HERE}/api/orders`], {}].map((value) => ({
    name: `#114 htu ${JSON.stringify(value)}`,
    proof: htu(value),
    answer: '401 proof_claim_missing',
  })),
  ...[
    ['#115', 'not a url'],
    ['#115', ':::*;'],
    ['#115', '/api/orders'],
    ['#115', '//api.example.com/api/orders'],
    ['#116 other path', `${HERE}/api/other`],
    ['#116 longer path', `${HERE}/api/orders/1`],
    ['#116 other host', 'https://evil.example.com/api/orders'],
    ['#116 host with a suffix', 'https://api.example.com.evil.example/api/orders'],
    ['#116 other port', `${HERE}:8443/api/orders`],
    ['#117', 'http://api.example.com/api/orders'],
    ['#122', `${HERE}:0443/api/orders`],
    ['#122', `${HERE}:/api/orders`],
    ['#122 the default port of http', `${HERE}:80/api/orders`],
    ['#125', `${HERE}/api/orders/`],
    ['#126', `${HERE}/API/orders`],
    ['#129', `${HERE}/api%2Forders`],
    ['#131', `${HERE}/x/../api/orders`],
    ['#131', `${HERE}/%2e%2e/api/orders`],
    ['#131', `${HERE}/./api/orders`],
    ['#133', `${HERE}//api/orders`],
    ['#134', `${HERE}\\api\\orders`],
    ['#134', `https:\\\\api.example.com/api/orders`],
    ['#135', `${HERE}/api/or\tders`],
    ['#135', `${HERE}/api/orders\n`],
    ['#135', ` ${HERE}/api/orders`],
    ['#135', `${HERE}/api/orders `],
    ['#135', 'https://api.exa\tmple.com/api/orders'],
    ['#136', 'https://user@api.example.com/api/orders'],
    ['#136', 'https://user:word@api.example.com/api/orders'],
    ['#136', 'https://@api.example.com/api/orders'],
    ['#137', 'ftp://api.example.com/api/orders'],
    ['#137', 'wss://api.example.com/api/orders'],
    ['#137', 'urn:api.example.com/api/orders'],
    ['#137', 'data:text/plain,x'],
    ['#138', 'https:api.example.com/api/orders'],
    ['#138', 'https:/api.example.com/api/orders'],
    ['#138', 'https:///api.example.com/api/orders'],
    ['#140 trailing dot', 'https://api.example.com./api/orders'],
    ['#142', `${HERE}/api/örders`],
    ['#143', `${HERE}/api/orders;v=1`],
    ['#151', `${HERE}/${'%7E'.repeat(1500)}`],
  ].map(([name = '', value = '']) => ({
    name: `${name} ${JSON.stringify(value).slice(0, 60)}`,
    proof: htu(value),
    answer: '401 proof_target',
  })),
  ...[
    ['#118', `${HERE}/api/orders?a=1#top`],
    ['#118', `${HERE}/api/orders?a=%zz\\`],
    ['#118', `${HERE}/api/orders#?`],
    ['#121', 'HTTPS://API.Example.COM/api/orders'],
    ['#122', `${HERE}:443/api/orders`],
    ['#127', `${HERE}/%61pi/%6Frders`],
  ].map(([name = '', value = '']) => ({
    name: `${name} ${value}`,
    proof: htu(value),
    answer: '200',
  })),
]

/** Another path of the request, and another one in `htu`. */
const paths: Row[] = [
  ['#119 a query in the request alone', '/api/orders?a=1', '/api/orders', '200'],
  ['#120 another query', '/api/orders?a=1', '/api/orders?b=2', '200'],
  ['#127', '/api/~me', '/api/%7Eme', '200'],
  ['#127', '/api/%7Eme', '/api/~me', '200'],
  ['#128', '/api/%c3%bc', '/api/%C3%BC', '200'],
  ['#129', '/api/a%2Fb', '/api/a/b', '401 proof_target'],
  ['#129', '/api/a/b', '/api/a%2Fb', '401 proof_target'],
  ['#130', '/api/a@b', '/api/a%40b', '401 proof_target'],
  ['#130', '/api/a%3Ab', '/api/a:b', '401 proof_target'],
  ['#142', '/api/%C3%BC', '/api/ü', '200'],
  ['#142 not another normal form', '/api/%C3%BC', '/api/u\u0308', '401 proof_target'],
  ['#143', '/api/a;v=1', '/api/a;v=1', '200'],
  ['#143', '/api/a;v=1', '/api/a', '401 proof_target'],
  ['#133', '/api/a//b', '/api/a//b', '200'],
  ['#133', '/api/a//b', '/api/a/b', '401 proof_target'],
  ['#132', '/api/../x', '/x', '400 path_invalid'],
  ['#132', '/api/x/..', '/api', '400 path_invalid'],
  ['#132', '/api/%2e%2E/x', '/x', '400 path_invalid'],
  ['#132', '/api/..%2fx', '/api/x', '400 path_invalid'],
  ['#132', '/api/%2e', '/api/', '400 path_invalid'],
  ['#132', '/api/..;x/y', '/api/y', '400 path_invalid'],
  ['#134', '/api\\orders', '/api/orders', '400 path_invalid'],
  ['#134', '/api/%5c..%5corders', '/api/orders', '400 path_invalid'],
  ['#149', '/api/orders#top', '/api/orders', '400 path_invalid'],
  ['#151', `/api/${'%7e'.repeat(800)}`, `/api/${'~'.repeat(800)}`, '200'],
  ['a NUL', '/api/%00', '/api/%00', '400 path_invalid'],
  ['a lone percent sign', '/api/%', '/api/%', '400 path_invalid'],
].map(([name = '', path = '', claimed = '', answer = '']) => ({
  name: `${name} ${path.slice(0, 40)} as ${claimed.slice(0, 40)}`,
  path,
  proof: htu(HERE + claimed),
  answer,
}))

t.test('#110 HEAD with htm GET', async (t) => {
  const answer = await sendRow(await createStage(t), { method: 'HEAD', proof: htm('GET') })
  t.match(answer, { status: 401, body: '' })
  t.match(answer.values('www-authenticate'), [/"htm does not match the request method"/])
})

t.test('htm and htu', async (t) => {
  const stage = await createStage(t)
  answerTable(t, stage, [...method, ...target, ...paths])
  answerTable(t, stage, [
    {
      name: '#146 the URL of the upstream',
      proof: htu(`${stage.upstream.url}/api/orders`),
      answer: '401 proof_target',
    },
    {
      name: '#146 the address of the gateway',
      proof: htu(`http://127.0.0.1:${stage.port}/api/orders`),
      answer: '401 proof_target',
    },
  ])
})
