/** What a client sent, as far as it may stand in a log. */

/** A name as it was sent; nothing longer, which might be a token that was put in the wrong place. */
export function word(sent: string): string {
  return /^[\w.+/-]{0,24}$/.test(sent) ? sent : 'something longer'
}

/**
 * A user name, a password and a query are no part of what is compared, and may be anything; so may
 * what is no URL, such as a token that was put in the wrong place.
 */
export function withoutSecrets(uri: string): string {
  if (!/^https?:\/\//i.test(uri)) return word(uri)
  return uri.replace(/[?#].*/s, '').replace(/\/\/[^/]*@/, '//')
}
