/**
 * What a simple gateway on Node costs at the least: each request goes through node:http and undici as
 * it comes, with one signature verified, and nothing else is checked, changed, logged or counted. On the port given,
 * for the upstream given.
 */
import { createPublicKey, verify, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import { Pool } from 'undici'

const [port, upstream = ''] = process.argv.slice(2)
const pool = new Pool(upstream, { connections: 256 })
const keys = new Map<string, KeyObject>()

createServer((message, response) => {
  if (!isSigned(String(message.headers['dpop'] ?? ''))) {
    response.writeHead(401, { 'Content-Length': 0 }).end()
    return
  }
  const { method = 'GET', url: path = '/' } = message
  const headers = ['accept', 'application/json', 'user-agent', 'bench']
  pool.dispatch(
    { method, path, headers },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_, status, fields) => void response.writeHead(status, fields),
      onResponseData: (_, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  )
}).listen(Number(port), '127.0.0.1')

function isSigned(proof: string): boolean {
  const [header = '', payload = '', signature = ''] = proof.split('.')
  if (signature === '') return false
  const key = keys.get(header) ?? importKey(header)
  keys.set(header, key)
  const data = Buffer.from(`${header}.${payload}`)
  const dsaEncoding = 'ieee-p1363'
  return verify('sha256', data, { key, dsaEncoding }, Buffer.from(signature, 'base64url'))
}

function importKey(header: string): KeyObject {
  const { jwk } = JSON.parse(Buffer.from(header, 'base64url').toString()) as {
    readonly jwk: JsonWebKeyInput['key']
  }
  return createPublicKey({ key: jwk, format: 'jwk' })
}
