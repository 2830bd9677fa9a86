/** The upstream where there is no nginx: 1 KiB of JSON for every request, on the port given. */
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { DOWNLOAD_BYTES, DOWNLOAD_PATH } from './nginx.ts'

const body = JSON.stringify({ padding: 'x'.repeat(1000) })
const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length }
const megabyte = Buffer.alloc(2 ** 20)
let requests = 0

function* download() {
  for (let sent = 0; sent < DOWNLOAD_BYTES; sent += megabyte.length) yield megabyte
}

createServer((request, response) => {
  requests += 1
  request.resume()
  if (request.url === '/requests') {
    response.end(String(requests))
  } else if (request.url === DOWNLOAD_PATH) {
    response.writeHead(200, { 'Content-Length': DOWNLOAD_BYTES })
    Readable.from(download()).pipe(response)
  } else {
    response.writeHead(200, headers).end(body)
  }
}).listen(Number(process.argv[2]), '127.0.0.1')
