/** What refusing costs at the least: a 401 with a challenge by node:http, on the port given. */
import { createServer } from 'node:http'

createServer((_, response) => {
  response.writeHead(401, { 'WWW-Authenticate': 'DPoP algs="ES256"', 'Content-Length': 0 }).end()
}).listen(Number(process.argv[2]), '127.0.0.1')
