/** The upstream where there is no nginx: 1 KiB of JSON for every request, on the port given. */
import { createServer } from 'node:http'

const body = JSON.stringify({ padding: 'x'.repeat(1000) })
const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length }

createServer((_, response) => {
  response.writeHead(200, headers).end(body)
}).listen(Number(process.argv[2]), '127.0.0.1')
