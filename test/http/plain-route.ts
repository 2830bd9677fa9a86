import { createChallenger } from '../../src/http/challenge.ts'

export const PLAIN_CHALLENGES = {
  algorithms: ['ES256'],
  scopes: [],
  acceptsBearer: false,
  authentication: { contexts: [], maxAgeSeconds: undefined },
  metadataUrls: new Map<string, string>(),
}

/** A public route but for its name, its path and where it leads. */
export const PLAIN_ROUTE = {
  host: undefined,
  methods: undefined,
  access: 'public',
  gate: undefined,
  observe: false,
  refusals: {
    challenge: createChallenger(PLAIN_CHALLENGES),
    nonce: undefined,
    isTokenEndpoint: false,
    debug: false,
  },
  cors: undefined,
  identity: { headers: [], token: 'drop' },
  stripPrefix: undefined,
  responseTimeoutMs: 1000,
  idleTimeoutMs: 1000,
  websocket: false,
} as const
