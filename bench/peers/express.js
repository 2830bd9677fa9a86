/** Express as its users put it together: tokens and proofs are checked, replays are not, nothing is logged. */
import { Agent } from 'node:http'
import express from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import { createProxyMiddleware } from 'http-proxy-middleware'

const { PORT, UPSTREAM, ISSUER, AUDIENCE } = process.env

const app = express()
app.use(
  auth({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwksUri: `${ISSUER}/jwks`,
    tokenSigningAlg: 'ES256',
    // Proofs are signed before the clock starts.
    dpop: { enabled: true, required: true, iatOffset: 90, iatLeeway: 30 },
  }),
)
app.use(requiredScopes('read'))
// Its default closes the upstream's connection after each request.
app.use(createProxyMiddleware({ target: UPSTREAM, agent: new Agent({ keepAlive: true }) }))
app.listen(Number(PORT), '127.0.0.1')
