/**
 * `npm run demo`: an authorization server, an API, the gateway between them, and a client that
 * shows what gets through. Then all stays up to be tried by hand. `--once` ends after the tour.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createClient } from './client.ts'
import { startGateway } from './gateway.ts'
import { CLIENT, startIssuer } from './issuer.ts'
import { choosePort } from './listen.ts'
import { say, sayHeading, sayVisit, style } from './print.ts'
import { tour } from './tour.ts'
import { startUpstream } from './upstream.ts'

interface Urls {
  readonly issuer: string
  readonly gateway: string
  readonly upstream: string
}

/** What a shell reports for a command that Ctrl-C has ended. */
const INTERRUPTED = 130

/** The gateway writes its log in blocks: after this time, all of the tour has been written. */
const LOG_FLUSH_MS = 250

const { values: options } = parseArgs({ options: { once: { type: 'boolean', default: false } } })

async function start() {
  const issuerPort = await choosePort(9000)
  const upstreamPort = await choosePort(3000)
  const gatewayPort = await choosePort(8080)
  const adminPort = await choosePort(9901)
  const urls: Urls = {
    issuer: `http://localhost:${issuerPort}`,
    gateway: `http://localhost:${gatewayPort}`,
    upstream: `http://127.0.0.1:${upstreamPort}`,
  }
  await startIssuer({ issuer: urls.issuer, audience: urls.gateway, port: issuerPort })
  await startUpstream(upstreamPort)
  const environment = {
    GATEWAY_LISTEN: `127.0.0.1:${gatewayPort}`,
    ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    PUBLIC_URL: urls.gateway,
    AUDIENCE: urls.gateway,
    ISSUER: urls.issuer,
    UPSTREAM: urls.upstream,
    REPLAY_STORE: 'memory',
  }
  const gateway = await startGateway(environment, `http://127.0.0.1:${adminPort}/readyz`)
  return { urls, gateway }
}

function sayWelcome({ issuer, gateway, upstream }: Urls, thumbprint: string): void {
  say()
  say(`  authorization server  ${issuer}  (oidc-provider)`)
  say(`  gateway               ${gateway}  (gateway.yaml)`)
  say(`  API behind it         ${upstream}`)
  say()
  say(`  The client has a token with the scope orders:read, bound to its key`)
  say(`  ${style('cyan', thumbprint)}.`)
  say()
}

/** Gives the number of answers that were not as expected. */
async function takeTour(urls: Urls): Promise<number> {
  const client = await createClient(urls.issuer, urls.gateway)
  sayWelcome(urls, client.thumbprint)
  sayHeading()
  let visits = 0
  let failures = 0
  for await (const visit of tour(client, urls.gateway)) {
    sayVisit(visit)
    visits += 1
    if (visit.got !== visit.expected) failures += 1
  }
  say()
  const verdict = failures === 0 ? 'All as expected' : `${failures} not as expected`
  say(`  ${style(failures === 0 ? 'green' : 'red', `${verdict}, of ${visits} answers.`)}`)
  return failures
}

function sayCommands({ issuer, gateway }: Urls): void {
  const commands = `
  Try it by hand, in another terminal and in this folder:

    gw() { node --import tsx src/main.ts "$@"; }

    # A key, and a token bound to it. The token endpoint wants a proof of its own.
    KEY=$(mktemp -d)/key.jwk; gw keygen --out "$KEY"
    TOKEN=$(curl -s -u ${CLIENT.id}:${CLIENT.secret} ${issuer}/token \\
      -d grant_type=client_credentials -d scope=orders:read \\
      -H "DPoP: $(gw proof --key "$KEY" --method POST --url ${issuer}/token)" |
      node -p 'JSON.parse(fs.readFileSync(0)).access_token')

    # A request: it passes once, and is refused when you send the same again.
    REQUEST=$(gw proof --key "$KEY" --token "$TOKEN" --url ${gateway}/orders/1 --curl)
    eval "$REQUEST"
    eval "$REQUEST"

  The gateway's log follows. Ctrl-C ends the demo.
`
  say(commands)
}

async function run(interrupted: Promise<undefined>): Promise<number> {
  say('  Starting ...')
  const started = await Promise.race([start(), interrupted])
  if (!started) return INTERRUPTED
  const { urls, gateway } = started
  try {
    const failures = await Promise.race([takeTour(urls), gateway.ended, interrupted])
    if (failures === undefined) return INTERRUPTED
    await delay(LOG_FLUSH_MS)
    if (failures > 0) say(gateway.output())
    if (options.once) return failures === 0 ? 0 : 1
    sayCommands(urls)
    gateway.follow((text) => process.stdout.write(text))
    await Promise.race([gateway.ended, interrupted])
    return 0
  } catch (error) {
    say(gateway.output())
    throw error
  } finally {
    await gateway.stop()
  }
}

const interrupted = new Promise<undefined>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      resolve(undefined)
    })
  }
})

run(interrupted).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  },
)
