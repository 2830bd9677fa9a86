/** The configured issuers: their keys, and the one function that verifies a token of any of them. */
import type { Component } from './admin/server.ts'
import type { Config } from './config/schema.ts'
import type { Logger } from './log.ts'
import type { VerifyToken } from './token/access-token.ts'
import { cacheTokens } from './token/cached.ts'
import { createJwtVerifier, type Issuer } from './token/jwt.ts'
import { createKeySet } from './token/keys.ts'

export interface Issuers {
  readonly verifyToken: VerifyToken
  readonly sources: readonly { readonly name: string; readonly isReady: () => boolean }[]
  readiness(): Readonly<Record<string, Component>>
  /** Begins to load the keys. */
  start(): void
  close(): void
}

export function createIssuers(configs: Config['issuers'], logger: Logger): Issuers {
  const issuers = Object.entries(configs).map(([name, config]): Issuer => {
    const { issuer, audience, jwksUri, algorithms, allowHttp, tokenType, clockSkew } = config
    const keys = createKeySet({
      issuer,
      jwksUri,
      algorithms,
      allowHttp,
      report: ({ level, message }) => {
        logger[level]({ issuer: name }, message)
      },
    })
    return {
      name,
      issuer,
      audience,
      algorithms,
      tokenType,
      clockSkewSeconds: clockSkew / 1000,
      keys,
    }
  })
  return {
    verifyToken: cacheTokens(createJwtVerifier(issuers)),
    sources: issuers.map(({ name, keys }) => ({ name, isReady: () => keys.readiness().ready })),
    readiness: () => Object.fromEntries(issuers.map(({ name, keys }) => [name, keys.readiness()])),
    start() {
      // How the first attempt ends is reported and can be seen in the readiness.
      for (const { keys } of issuers) void keys.start()
    },
    close() {
      for (const { keys } of issuers) keys.close()
    },
  }
}
