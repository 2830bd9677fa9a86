import { editorSchema } from '../config/json-schema.ts'

/** `schema`: prints the JSON Schema of gateway.yaml, for editors. Gives the exit code. */
export function schema(out: { readonly stdout: NodeJS.WritableStream }): number {
  out.stdout.write(`${JSON.stringify(editorSchema(), null, 2)}\n`)
  return 0
}
