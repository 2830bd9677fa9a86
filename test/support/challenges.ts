import type { RawResponse } from './raw-response.ts'

/** The challenges of a refusal, without what is the same in all of its route. */
export function challengesOf({ values }: RawResponse): readonly string[] {
  return values('www-authenticate').map((line) => {
    const [scheme = ''] = /^\S+/.exec(line) ?? []
    const parameters = [...line.matchAll(/([a-z_]+)="[^"]*"/g)]
      .filter(([, name = '']) => !['algs', 'resource_metadata'].includes(name))
      .map(([parameter]) => parameter)
    return [scheme, parameters.join(', ')].filter(Boolean).join(' ')
  })
}
