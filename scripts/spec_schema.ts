/**
 * Writes what is known of the spec's fields: docs/spec.schema.json, the JSON Schema of spec files, and the tables of
 * docs/spec.md.
 *
 * Run it after a change of the spec: `deno run -A scripts/spec_schema.ts`
 *
 * @module
 */
import { specJsonSchema } from "../client/cli/spec_json_schema.ts";
import { SPEC_PAGE, specPageText } from "./spec_reference.ts";

/** Where the schema is kept. */
export const SPEC_SCHEMA_FILE = new URL("../docs/spec.schema.json", import.meta.url);

/** The text of the file. */
export function specSchemaText(): string {
  return `${JSON.stringify(specJsonSchema(), null, 2)}\n`;
}

if (import.meta.main) {
  await Deno.writeTextFile(SPEC_SCHEMA_FILE, specSchemaText());
  await Deno.writeTextFile(SPEC_PAGE, await specPageText(await Deno.readTextFile(SPEC_PAGE)));
}
