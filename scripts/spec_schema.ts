/**
 * Writes docs/spec.schema.json, the JSON Schema of spec files.
 *
 * Run it after a change of the spec: `deno run -A scripts/spec_schema.ts`
 *
 * @module
 */
import { specJsonSchema } from "../client/cli/spec_json_schema.ts";

/** Where the schema is kept. */
export const SPEC_SCHEMA_FILE = new URL("../docs/spec.schema.json", import.meta.url);

/** The text of the file. */
export function specSchemaText(): string {
  return `${JSON.stringify(specJsonSchema(), null, 2)}\n`;
}

if (import.meta.main) await Deno.writeTextFile(SPEC_SCHEMA_FILE, specSchemaText());
