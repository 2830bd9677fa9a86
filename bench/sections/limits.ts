/** Cells that are a limit, and no request: their cost is the CPU time of one verification. */
export const LIMITS = { verify: 'node:crypto verify', openssl: 'openssl verify' } as const
