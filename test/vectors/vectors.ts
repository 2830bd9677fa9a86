/** Reads the vectors of this folder. */
import { readFileSync } from 'node:fs'
import type { JWK } from 'jose'
import type { AlgorithmName } from '../../src/jws/algorithms.ts'

interface ProofVector {
  readonly method: string
  readonly target: string
  readonly iat: number
  readonly jti: string
  readonly proof: string
}

export interface Rfc9449 {
  readonly jwk: JWK
  readonly thumbprint: string
  readonly token: string
  readonly ath: string
  readonly resourceProof: ProofVector
  readonly tokenProof: ProofVector
  readonly refreshProof: ProofVector
  readonly accessToken: { readonly header: object; readonly claims: Record<string, unknown> }
}

export interface ThumbprintVector {
  readonly source: string
  readonly alg: AlgorithmName
  readonly jwk: Record<string, unknown>
  readonly thumbprint: string
}

export const rfc9449 = json('rfc9449.json') as Rfc9449
export const rfc8037 = json('rfc8037.json') as { jwk: Record<string, unknown>; jws: string }
export const thumbprints = json('thumbprints.json') as readonly ThumbprintVector[]

/** The lines of a file, a case each. */
export function lines(name: string): readonly string[] {
  return read(name).split('\n').slice(0, -1)
}

function json(name: string): unknown {
  return JSON.parse(read(name))
}

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}
