/** oauth4webapi in front of http-proxy: tokens and proofs are checked, replays are not, nothing is logged. */
import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy'
import * as oauth from 'oauth4webapi'

const { PORT, UPSTREAM, ISSUER, AUDIENCE } = process.env

const server = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` }
const options = {
  requireDPoP: true,
  [oauth.allowInsecureRequests]: true,
  // Proofs are signed before the clock starts.
  [oauth.clockTolerance]: 90,
}
const proxy = httpProxy.createProxyServer({
  target: UPSTREAM,
  agent: new Agent({ keepAlive: true }),
})

createServer(async (request, response) => {
  try {
    const { method, headers, url } = request
    const received = new Request(`http://${headers.host}${url}`, { method, headers })
    const { scope = '' } = await oauth.validateJwtAccessToken(server, received, AUDIENCE, options)
    if (!scope.split(' ').includes('read')) throw new Error('scope')
  } catch {
    response.writeHead(401, { 'WWW-Authenticate': 'DPoP', 'Content-Length': 0 }).end()
    return
  }
  proxy.web(request, response)
}).listen(Number(PORT), '127.0.0.1')
