/** The configured issuers: what they publish, what they are asked, and who verifies a route's tokens. */
import type { Component } from '../admin/server.ts'
import type { Config } from '../config/schema.ts'
import { createIssuerIntrospection, needsKeys, type IssuerIntrospection } from './introspection.ts'
import { createDiscovery } from '../issuer/discovery.ts'
import type { Outcome } from '../issuer/introspection.ts'
import { createKeySet, type Readiness } from '../issuer/keys.ts'
import type { Logger } from '../log.ts'
import type { VerifyToken } from '../token/access-token.ts'
import { cacheTokens } from '../token/cached.ts'
import type { ClaimRules } from '../token/claims.ts'
import { createIntrospectionVerifier } from '../token/introspection.ts'
import { createJwtVerifier, type Issuer } from '../token/jwt.ts'
import { rememberRefused } from '../token/refused.ts'
import { chooseWay, type AskedIssuer } from '../token/way.ts'

export interface Issuers {
  /** For a route that takes the tokens of these issuers, by their names in the configuration. */
  readonly verifierFor: (names: ReadonlySet<string>) => VerifyToken
  readonly sources: readonly { readonly name: string; readonly isReady: () => boolean }[]
  readiness(): Readonly<Record<string, Component>>
  /** Begins to load what the issuers publish. */
  start(): void
  close(): void
}

/** Told of every question an issuer was asked about a token. */
export type MeasureIntrospection = (issuer: string, outcome: Outcome, seconds: number) => void

type IssuerConfig = Config['issuers'][string]

/** Refusals of an issuer are remembered for that long at most: a token may become valid. */
const REFUSED_MS = 5_000

export function createIssuers(
  configs: Config['issuers'],
  logger: Logger,
  measure: MeasureIntrospection,
): Issuers {
  const members = Object.entries(configs).map(([name, config]) =>
    createMember(name, config, logger, measure),
  )
  const signed = cacheTokens(createJwtVerifier(members.flatMap(({ verified }) => verified ?? [])))
  const known = new Set(members.map(({ issuer }) => issuer))
  return {
    verifierFor(names) {
      // No two: the configuration was checked.
      const asked = members.find((member) => names.has(member.name) && member.asked)?.asked
      return chooseWay(signed, asked, known)
    },
    sources: members.map(({ name, readiness }) => ({ name, isReady: () => readiness().ready })),
    readiness: () => Object.fromEntries(members.map(({ name, readiness }) => [name, readiness()])),
    start() {
      // How the first attempts end is reported and can be seen in the readiness.
      for (const member of members) member.start()
    },
    close() {
      for (const member of members) member.close()
    },
  }
}

interface Member {
  readonly name: string
  readonly issuer: string
  /** Whose JWTs are verified with its keys; undefined where it is asked about them. */
  readonly verified: Issuer | undefined
  readonly asked: AskedIssuer | undefined
  readonly readiness: () => Readiness
  readonly start: () => void
  readonly close: () => void
}

function createMember(
  name: string,
  config: IssuerConfig,
  logger: Logger,
  measure: MeasureIntrospection,
): Member {
  const { issuer, jwksUri, algorithms, allowHttp, tokenType, introspection } = config
  const { audience, clockSkew } = config
  const rules = { name, issuer, audience, clockSkewSeconds: clockSkew / 1_000, tokenType }
  const report: Report = ({ level, message }) => {
    logger[level]({ issuer: name }, message)
  }
  const discovery = createDiscovery({ issuer, allowHttp })
  const keys = createKeySet({ jwksUri, discovery, algorithms, allowHttp, report })
  const own =
    introspection &&
    createIssuerIntrospection(config, introspection, {
      discovery,
      keys,
      report,
      measure: (outcome, seconds) => {
        measure(name, outcome, seconds)
      },
    })
  const parts = [...(needsKeys(config) ? [keys] : []), own]
  return {
    name,
    issuer,
    verified: introspection?.always === true ? undefined : { ...rules, algorithms, keys },
    asked: own && askedIssuer(own, rules, config, report),
    readiness: () =>
      parts.map((part) => part?.readiness()).find((it) => it?.ready === false) ?? { ready: true },
    start() {
      for (const part of parts) void part?.start()
    },
    close() {
      discovery.close()
      keys.close()
      own?.close()
    },
  }
}

type Report = (event: { level: 'info' | 'warn' | 'error'; message: string }) => void

function askedIssuer(
  introspection: IssuerIntrospection,
  rules: ClaimRules & Pick<Issuer, 'tokenType'>,
  { introspection: config }: IssuerConfig,
  report: Report,
): AskedIssuer {
  const cacheForMs = config?.cacheFor ?? 0
  const verify = createIntrospectionVerifier({ ...rules, introspection, cacheForMs, report })
  return {
    issuer: rules.issuer,
    always: config?.always ?? false,
    tokens: rememberRefused(cacheTokens(verify), { forMs: Math.min(cacheForMs, REFUSED_MS) }),
  }
}
