/** The gateway for embedding: `await createGateway(loadConfig('gateway.yaml')).start()`. */
export { ConfigError, type Problem } from './config/problem.ts'
export { loadConfig, parseConfig } from './config/load.ts'
export type { Config } from './config/schema.ts'
export { REFUSALS, type DenialCode, type Refusal } from './denial.ts'
export { createGateway, type Addresses, type Gateway, type GatewayOptions } from './gateway.ts'
export { createLogger, type Logger, type LogOptions } from './log.ts'
