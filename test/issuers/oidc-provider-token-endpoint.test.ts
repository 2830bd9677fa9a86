/**
 * The gateway in front of a real authorization server, node-oidc-provider: its issuer is the URL of
 * the gateway, and a real client, openid-client, gets its tokens there. Both check the proof.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair } from 'jose'
import type { Configuration } from 'oidc-provider'
import * as oauth from 'openid-client'
import t, { type Test } from 'tap'
import { createKeys } from '../../demo/client.ts'
import { createAdapter, importProvider } from '../../demo/issuer.ts'
import { listen } from '../../demo/listen.ts'
import { parseConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLogger } from '../../src/log.ts'
import { outcome } from './oidc-provider-stage.ts'

const [CLIENT, SECRET, RESOURCE] = ['app', 's3cret: 100%', 'https://api.example.com']

/** The gateway, the provider behind it, and the client. */
async function createTokenStage(t: Test, dPoP: object = {}) {
  const seen: IncomingHttpHeaders[] = []
  const server = createServer()
  await listen(server, 0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const gateway = createGateway(readConfig(upstream), {
    logger: createLogger({ level: 'silent' }),
  })
  const { traffic } = await gateway.start()
  t.teardown(() => gateway.stop())

  const { Provider } = await importProvider()
  const provider = new Provider(traffic, await configuration(dPoP))
  provider.proxy = true // Who asks, and under which name, is in the fields the gateway sets.
  const handle = provider.callback()
  server.on('request', (request, response) => {
    if (request.url === '/token') seen.push(request.headers)
    void handle(request, response)
  })

  const keys = await createKeys()
  const authentication = oauth.ClientSecretBasic(SECRET)
  const client = await oauth.discovery(new URL(traffic), CLIENT, undefined, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- so marked to warn: not for production, where the issuer has https.
    execute: [oauth.allowInsecureRequests],
  })
  const sent: Headers[] = []
  client[oauth.customFetch] = (url, options) => {
    sent.push(new Headers(options.headers))
    return fetch(url, options as RequestInit)
  }
  const DPoP = oauth.getDPoPHandle(client, keys)
  return {
    url: `${traffic}/token`,
    seen,
    sent,
    thumbprint: await calculateJwkThumbprint(await exportJWK(keys.publicKey)),
    requestToken: () => oauth.clientCredentialsGrant(client, { resource: RESOURCE }, { DPoP }),
  }
}

function readConfig(upstream: string) {
  // JSON is YAML as well.
  const text = JSON.stringify({
    server: { listen: '127.0.0.1:0', drain: { delay: '0s', timeout: '2s' } },
    admin: { listen: '127.0.0.1:0' },
    routes: [
      { name: 'token', path: '/token', methods: ['POST'], access: 'proof', upstream },
      { name: 'rest', path: '/*', access: 'public', upstream },
    ],
  })
  return parseConfig(text, { file: 'gateway.yaml', env: {} })
}

async function configuration(dPoP: object): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return {
    adapter: createAdapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'first' }] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      {
        client_id: CLIENT,
        client_secret: SECRET,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        dpop_bound_access_tokens: true,
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true, ...dPoP },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: '', accessTokenFormat: 'jwt' }),
      },
    },
    ttl: { ClientCredentials: 600 },
  }
}

t.test('a token request', async (t) => {
  const { requestToken, seen, sent, thumbprint, url } = await createTokenStage(t)
  const { access_token: token, token_type: type } = await requestToken()
  t.equal(type, 'dpop')
  t.match(decodeJwt(token), { cnf: { jkt: thumbprint }, client_id: CLIENT })
  t.equal(seen.length, 1)
  t.equal(seen[0]?.['x-auth-thumbprint'], thumbprint)
  for (const name of ['authorization', 'dpop', 'content-type']) {
    t.equal(seen[0]?.[name], sent[0]?.get(name), name)
  }
  const body = 'grant_type=client_credentials'
  const post = async (headers: Headers | Record<string, string>) =>
    outcome(await fetch(url, { method: 'POST', headers, body }))
  t.equal(await post(sent[0] ?? {}), '400 proof_replayed')
  t.equal(await post({}), '400 proof_missing')
  t.equal(seen.length, 1, 'neither reaches the provider')
})

t.test('§8 the provider has nonces of its own', async (t) => {
  const nonces = { nonceSecret: Buffer.alloc(32, 1), requireNonce: () => true }
  const { requestToken, seen, thumbprint } = await createTokenStage(t, nonces)
  const { access_token: token } = await requestToken()
  t.match(decodeJwt(token), { cnf: { jkt: thumbprint } })
  const proofs = seen.map(({ dpop }) => decodeJwt(String(dpop)))
  t.strictSame(
    proofs.map(({ nonce }) => typeof nonce),
    ['undefined', 'string'],
    'the client was told the nonce through the gateway',
  )
})
