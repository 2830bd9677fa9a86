/** The aims that concern the cost of a request, each a ratio within one run. */
import type { Cost } from '../measure.ts'
import type { Aim } from '../report/aims.ts'
import type { Spread } from '../rounds.ts'
import type { Findings } from './costs-report.ts'
import { LIMITS } from './limits.ts'

type ValueOf = (id: string) => Cost

export function aimsOfCosts({ results, tail }: Findings): readonly Aim[] {
  const over = (ids: readonly string[], calculate: (valueOf: ValueOf) => number) => {
    const absent = ids.filter((id) => !results.has(id))
    return absent.length > 0 ? `no ${absent.join(', no ')}` : results.each(calculate)
  }
  const ratio = (top: string, bottom: string) =>
    over([top, bottom], (valueOf) => valueOf(top).subject / valueOf(bottom).subject)
  const ofLimit = (id: string) =>
    over([id, 'nginx get'], (valueOf) => valueOf(id).subject / limitOf(valueOf))
  const hasTail = tail.results.has('nginx')

  return [
    atMost(
      'CPU per request, memory store ÷ (nginx + one P-256 verify)',
      1.8,
      ofLimit('memory get'),
    ),
    atMost('CPU per request, Redis ÷ (nginx + one P-256 verify)', 2, ofLimit('redis get')),
    atLeast(
      'Apache mod_oauth2 ÷ gateway, both in memory',
      2.5,
      ratio('apache-shm get', 'memory get'),
    ),
    atLeast(
      'Apache mod_oauth2 ÷ gateway, both with Redis',
      2.5,
      ratio('apache-redis get', 'redis get'),
    ),
    atLeast('Express stack ÷ gateway', 4, ratio('express get', 'memory get')),
    atMost(
      'p99 at half of the saturation rate, gateway ÷ nginx',
      3,
      hasTail
        ? tail.results.each((valueOf) => valueOf('memory').p99 / valueOf('nginx').p99)
        : 'no nginx',
    ),
    atMost('a forged proof ÷ a valid request', 1, ratio('memory forgedProof', 'memory get')),
    atMost('a forged token ÷ a valid request', 1, ratio('memory forgedToken', 'memory get')),
    atMost(
      'requests at the upstream for a replay',
      0,
      over(['memory replay'], (valueOf) => valueOf('memory replay').forwarded),
    ),
    atMost('no credentials ÷ a 401 by node:http', 1.3, ratio('memory bare', 'node bare')),
  ]
}

/** openssl's, where there is one: it is the lower of the two, so the stricter. */
export function limitOf(valueOf: ValueOf): number {
  const openssl = valueOf(LIMITS.openssl).subject
  const verify = Number.isNaN(openssl) ? valueOf(LIMITS.verify).subject : openssl
  return valueOf('nginx get').subject + verify
}

function atMost(text: string, limit: number, value: Spread | string): Aim {
  return { text, limit, bound: 'at most', value }
}

function atLeast(text: string, limit: number, value: Spread | string): Aim {
  return { text, limit, bound: 'at least', value }
}
