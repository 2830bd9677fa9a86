/** Building blocks of the schema: texts with checks in words, and lists of them. */
import { z } from 'zod'

/** Says what is wrong with a text, in a few words, or nothing where it is right. */
export type FindFault = (text: string) => string | undefined

/** A text in which none of the given checks finds a fault; the first that does is reported. */
export function text(title: string, ...checks: readonly FindFault[]) {
  return z
    .string()
    .superRefine((value, context) => {
      const message = checks.map((check) => check(value)).find((fault) => fault !== undefined)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .meta({ title })
}

/** A check that the text has a form. */
export function form(pattern: RegExp, message: string): FindFault {
  return (value) => (pattern.test(value) ? undefined : message)
}

/** One item or a non-empty list of it; a list in the code. */
export function oneOrMore<Item extends z.ZodType>(item: Item) {
  return z.union([item, z.array(item).min(1)])
}

/** A non-empty list without repetitions. */
export function distinct<Item extends z.ZodType<string, string>>(item: Item) {
  return z
    .array(item)
    .min(1)
    .superRefine((items, context) => {
      for (const [index, value] of items.entries()) {
        if (items.indexOf(value) === index) continue
        context.addIssue({ code: 'custom', path: [index], message: 'stands in this list twice' })
      }
    })
}
