import assert from "node:assert/strict";
import { SPEC_SCHEMA_FILE, specSchemaText } from "../../../scripts/spec_schema.ts";
import { closest } from "../../../shared/space/closest.ts";

Deno.test("docs/spec.schema.json is what scripts/spec_schema.ts writes", async () => {
  assert.equal(await Deno.readTextFile(SPEC_SCHEMA_FILE), specSchemaText(), "run scripts/spec_schema.ts");
});

Deno.test("a mistyped name finds the one that was meant, another word finds none", () => {
  assert.equal(closest("optimiser", ["optimizer", "objectives"]), "optimizer");
  assert.equal(closest("Budget", ["budget"]), "budget");
  assert.equal(closest("colour", ["optimizer", "objectives"]), undefined);
});
