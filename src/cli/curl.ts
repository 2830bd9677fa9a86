/** A request as a curl command for a POSIX shell. */

interface CurlRequest {
  readonly method: string
  readonly url: URL
  readonly token: string | undefined
  readonly proof: string
}

export function curlLine({ method, url, token, proof }: CurlRequest): string {
  const words = [
    'curl',
    '--include',
    ...methodOptions(method),
    // curl reads these in a URL as a pattern for several.
    ...(/[[\]{}]/.test(url.href) ? ['--globoff'] : []),
    ...(token === undefined ? [] : ['--header', `Authorization: DPoP ${token}`]),
    '--header',
    `DPoP: ${proof}`,
    url.href,
  ]
  return words.map(quote).join(' ')
}

function methodOptions(method: string): readonly string[] {
  if (method === 'GET') return []
  // With `--request HEAD` curl would wait for a body that never comes.
  return method === 'HEAD' ? ['--head'] : ['--request', method]
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
