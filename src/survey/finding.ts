/** One sentence about an issuer, without tokens and credentials. */
export interface Finding {
  /** `fail`: requests would be refused for it. */
  readonly level: 'ok' | 'note' | 'fail'
  readonly sentence: string
}

const finding =
  (level: Finding['level']) =>
  (sentence: string): Finding => ({ level, sentence })

export const ok = finding('ok')
export const note = finding('note')
export const fail = finding('fail')
