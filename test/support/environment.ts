/**
 * The environment of a process that runs our code beside a test. tap would measure its coverage too,
 * but tsx compiles to other positions than tap does, and the sum of both is wrong.
 */
export function childEnvironment(
  changes: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  return { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0', ...changes }
}
