/** Group B: the proof as a JWS in compact form (RFC 9449 §4.3 (2), RFC 7515). */
import t from 'tap'
import { createStage } from '../support/stage.ts'
import { setSpareBit, withSpareBits } from './forge.ts'
import { answerTable, type Row } from './table.ts'

const refused = '401 proof_malformed'
const part = (proof: string, at: number) => proof.split('.')[at] ?? ''
const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map((it) => Buffer.from(it)))

const parts: Row[] = [
  { name: '#38 two parts', edit: (p) => p.replace(/\.[^.]*$/, ''), answer: refused },
  { name: '#39 one part', edit: (p) => part(p, 0), answer: refused },
  { name: '#39 four parts', edit: (p) => `${p}.AAAA`, answer: refused },
  { name: '#39 trailing dot', edit: (p) => `${p}.`, answer: refused },
  { name: '#39 leading dot', edit: (p) => `.${p}`, answer: refused },
  { name: '#39 dots alone', edit: () => '..', answer: refused },
  { name: '#39 no header', edit: (p) => p.replace(/^[^.]*/, ''), answer: refused },
  { name: '#39 no payload', edit: (p) => p.replace(/\.[^.]*\./, '..'), answer: refused },
  { name: '#40 five parts, as a JWE', edit: (p) => `${p}.AAAA.AAAA`, answer: refused },
  {
    name: '#41 flattened JSON',
    edit: (p) =>
      JSON.stringify({ protected: part(p, 0), payload: part(p, 1), signature: part(p, 2) }),
    answer: refused,
  },
  {
    name: '#41 general JSON',
    edit: (p) =>
      JSON.stringify({
        payload: part(p, 1),
        signatures: [{ protected: part(p, 0), signature: part(p, 2) }],
      }),
    answer: refused,
  },
  {
    name: '#41 flattened JSON, URL-encoded',
    edit: (p) => encodeURIComponent(`{"payload":"${part(p, 1)}"}`),
    answer: refused,
  },
  { name: '#41 dots URL-encoded', edit: (p) => p.replaceAll('.', '%2E'), answer: refused },
]

const json: Row[] = [
  { name: '#42 header not base64url', edit: (p) => p.replace(/^./, '!'), answer: refused },
  ...['', 'x', '[]', '"x"', 'null', '1', '{', '{}{}', "{'alg':1}"].map((text) => ({
    name: `#42 header ${text === '' ? 'empty' : text}`,
    forgery: { header: () => text },
    answer: refused,
  })),
  ...['', 'x', '[]', '"x"', '1', 'null', 'true', '{"jti":}'].map((text) => ({
    name: `#43 payload ${text === '' ? 'empty' : text}`,
    forgery: { payload: () => text },
    answer: refused,
  })),
  {
    name: '#43 payload an object without claims',
    forgery: { payload: () => '{}' },
    answer: '401 proof_claim_missing',
  },
  {
    name: '#44 payload with invalid UTF-8',
    forgery: { payload: (text) => bytes('{"x":"', [0xff], `",${text.slice(1)}`) },
    answer: refused,
  },
  {
    name: '#44 payload with a surrogate in UTF-8',
    forgery: { payload: (text) => bytes('{"x":"', [0xed, 0xa0, 0x80], `",${text.slice(1)}`) },
    answer: refused,
  },
  {
    name: '#44 payload with an overlong form',
    forgery: { payload: (text) => bytes('{"x":"', [0xc0, 0xaf], `",${text.slice(1)}`) },
    answer: refused,
  },
  {
    name: '#44 header with invalid UTF-8',
    forgery: { header: (text) => bytes('{"x":"', [0x80], `",${text.slice(1)}`) },
    answer: refused,
  },
  {
    name: '#44 payload in UTF-16',
    forgery: { payload: (text) => Buffer.from(text, 'utf16le') },
    answer: refused,
  },
  { name: '#45 header with BOM', forgery: { header: (text) => `\ufeff${text}` }, answer: refused },
  {
    name: '#45 payload with BOM',
    forgery: { payload: (text) => `\ufeff${text}` },
    answer: refused,
  },
  {
    name: '#43 white space around is JSON',
    forgery: { payload: (it) => ` ${it}\n` },
    answer: '200',
  },
]

const spelling: Row[] = [
  {
    name: '#46 unused bits, none set',
    forgery: { header: withSpareBits, payload: withSpareBits },
    answer: '200',
  },
  {
    name: '#46 unused bits in the header',
    forgery: { header: withSpareBits, headerPart: setSpareBit },
    answer: refused,
  },
  {
    name: '#46 unused bits in the payload',
    forgery: { payload: withSpareBits, payloadPart: setSpareBit },
    answer: refused,
  },
  {
    name: '#46 unused bits in the signature',
    forgery: { signaturePart: setSpareBit },
    answer: '401 proof_malformed',
  },
  {
    name: '#47 padding in the header',
    forgery: { header: withSpareBits, headerPart: (it) => `${it}==` },
    answer: refused,
  },
  {
    name: '#47 padding in the payload',
    forgery: { payload: withSpareBits, payloadPart: (it) => `${it}==` },
    answer: refused,
  },
  {
    name: '#47 padding in the signature',
    forgery: { signaturePart: (it) => `${it}==` },
    answer: '401 proof_malformed',
  },
  {
    name: '#48 the standard alphabet in the header',
    proof: { header: { x: '>>>>>>??????' } },
    forgery: { headerPart: standardAlphabet },
    answer: refused,
  },
  {
    name: '#48 the standard alphabet in the payload',
    proof: { claims: { jti: '>>>>>>??????' } },
    forgery: { payloadPart: standardAlphabet },
    answer: refused,
  },
  { name: '#49 space in the header', forgery: { headerPart: spaced }, answer: refused },
  { name: '#49 space in the payload', forgery: { payloadPart: spaced }, answer: refused },
  { name: '#49 tab in the payload', forgery: { payloadPart: (it) => `${it}\t` }, answer: refused },
  {
    name: '#49 space in the signature',
    forgery: { signaturePart: spaced },
    answer: '401 proof_malformed',
  },
]

function standardAlphabet(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/')
}

function spaced(text: string): string {
  return `${text.slice(0, 4)} ${text.slice(4)}`
}

t.test('a proof in compact form', async (t) => {
  answerTable(t, await createStage(t), [...parts, ...json, ...spelling])
})
