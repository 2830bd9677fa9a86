/** `schema`: prints the JSON Schema of gateway.yaml, for editors. */
import { editorSchema } from '../config/json-schema.ts'
import { createCommand } from './command.ts'

export const schema = createCommand({
  name: 'schema',
  usage: `usage: dpop-gateway schema

Prints the JSON Schema of gateway.yaml, which gives completion in editors.
`,
  options: {},
  run(_, { stdout }) {
    stdout.write(`${JSON.stringify(editorSchema(), null, 2)}\n`)
  },
})
