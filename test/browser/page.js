/** Runs in the browser: gets a token with a key of its own, calls the API, and tells what it saw. */
import { base64url, createKey, createProof, fetchWithProof } from './client.js'

const settings = await (await fetch('/settings')).json()
const report = {}
try {
  await visit()
} catch (error) {
  report.failure = String(error)
}
await fetch('/report', { method: 'POST', body: JSON.stringify(report) })

async function visit() {
  const key = await createKey()
  report.extraction = await crypto.subtle.exportKey('jwk', key.privateKey).catch(({ name }) => name)
  const token = await requestToken(key)

  // One proof without a nonce, sent as it is: what a page sees of the challenge.
  report.challenge = await seen(send(key, token))
  report.success = await seen(fetchWithProof(key, token, settings.api))
  report.post = await seen(
    fetchWithProof(key, token, settings.api, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"order":1}',
    }),
  )
  const nonce = report.challenge.nonce
  const proof = await createProof(key, { method: 'GET', url: settings.api, token, nonce })
  await seen(send(key, token, proof))
  report.replay = await seen(send(key, token, proof))
  report.outage = await seen(fetchWithProof(key, 'opaque', settings.api))
  report.otherHeader = await seen(
    fetchWithProof(key, token, settings.api, { headers: { 'X-Other': '1' } }),
  )
  report.withoutToken = await seen(fetch(settings.api))
}

/** RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 9449 §5: a public client has a verifier and a key. */
async function requestToken(key) {
  const verifier = crypto.randomUUID() + crypto.randomUUID()
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const challenge = base64url(digest)
  const code = await (await fetch(`/code?challenge=${challenge}`)).text()
  const { url, ...parameters } = settings.token
  const response = await fetch(url, {
    method: 'POST',
    headers: { DPoP: await createProof(key, { method: 'POST', url }) },
    body: new URLSearchParams({ ...parameters, code, code_verifier: verifier }),
  })
  report.token = response.status
  const { access_token, token_type } = await response.json()
  report.tokenType = token_type
  return access_token
}

async function send(key, token, given) {
  const proof = given ?? (await createProof(key, { method: 'GET', url: settings.api, token }))
  return fetch(settings.api, { headers: { Authorization: `DPoP ${token}`, DPoP: proof } })
}

/** All a page gets to see: of an answer it may not read, that there is none. */
async function seen(answer) {
  try {
    const response = await answer
    const { status, headers } = response
    return {
      status,
      nonce: headers.get('DPoP-Nonce'),
      challenge: headers.get('WWW-Authenticate'),
      retryAfter: headers.get('Retry-After'),
      date: headers.get('Date'),
      body: await response.json(),
    }
  } catch ({ name }) {
    return { failed: name }
  }
}
