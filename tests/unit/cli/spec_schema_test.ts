import assert from "node:assert/strict";
import { specJsonSchema } from "../../../client/cli/spec_json_schema.ts";
import { fieldsOf } from "../../../scripts/spec_fields.ts";
import { SPEC_PAGE, specPageText } from "../../../scripts/spec_reference.ts";
import { SPEC_SCHEMA_FILE, specSchemaText } from "../../../scripts/spec_schema.ts";
import { closest } from "../../../shared/space/closest.ts";
import { isRecord } from "../../../shared/space/problem.ts";

Deno.test("docs/spec.schema.json is what scripts/spec_schema.ts writes", async () => {
  assert.equal(await Deno.readTextFile(SPEC_SCHEMA_FILE), specSchemaText(), "run scripts/spec_schema.ts");
});

Deno.test("the tables of fields in docs/spec.md are what scripts/spec_schema.ts writes", async () => {
  const page = await Deno.readTextFile(SPEC_PAGE);
  assert.equal(page, await specPageText(page), "run scripts/spec_schema.ts");
  await assert.rejects(
    specPageText(page.replaceAll("<!-- The end", "<!-- An end")),
    /must have this line once/,
  );
});

Deno.test("editors show a sentence for every field of a spec, its space among them", () => {
  const told = descriptionsIn(specJsonSchema(), "");
  assert.ok(told.length > 100 && told.some(([path]) => path.includes("$defs")), String(told.length));
  assert.deepEqual(told.filter(([, words]) => !/^[A-Z\d`].*\.$/.test(words)), []);
});

Deno.test("a row says for which kinds of a part a field is there, and what holds unless told", () => {
  const kind = (name: string, description: string) => ({ const: name, description });
  const part = {
    default: { kind: "a", size: 7 },
    oneOf: [
      {
        properties: {
          kind: kind("a", "Small."),
          size: { type: "integer", minimum: 1, description: "How large." },
          wait: { title: "duration", default: 0.5, description: "How long." },
        },
        required: ["kind", "size"],
      },
      {
        properties: {
          kind: kind("b", "Large."),
          wait: { title: "duration", default: 0.5, description: "How long." },
        },
        required: ["kind"],
      },
    ],
  };
  assert.deepEqual(
    fieldsOf({ properties: { part, list: { type: "array", maxItems: 3, items: { type: "string" } } } }),
    [
      { path: "part", type: "by `kind`", default: "`{ kind: a, size: 7 }`", meaning: "" },
      { path: "part.kind", type: "`a`, `b`", default: "a", meaning: "`a`: small. `b`: large." },
      { path: "part.size", type: "integer, from 1", default: "7", meaning: "`a`: how large." },
      { path: "part.wait", type: "duration", default: "500ms", meaning: "How long." },
      { path: "list", type: "list of at most 3 texts", default: "none", meaning: "" },
    ],
  );
});

Deno.test("a mistyped name finds the one that was meant, another word finds none", () => {
  assert.equal(closest("optimiser", ["optimizer", "objectives"]), "optimizer");
  assert.equal(closest("Budget", ["budget"]), "budget");
  assert.equal(closest("colour", ["optimizer", "objectives"]), undefined);
});

/** The description of each property, wherever in the schema it stands; empty where it has none. */
function descriptionsIn(schema: unknown, path: string): readonly (readonly [path: string, words: string])[] {
  if (Array.isArray(schema)) {
    return schema.flatMap((inner, index) => descriptionsIn(inner, `${path}[${index}]`));
  }
  if (!isRecord(schema)) return [];
  return Object.entries(schema).flatMap(([key, inner]) => {
    const below = descriptionsIn(inner, `${path}.${key}`);
    if (key !== "properties" || !isRecord(inner)) return below;
    const own = Object.entries(inner).map(([name, field]) =>
      [`${path}.${name}`, String(isRecord(field) ? field["description"] ?? "" : "")] as const
    );
    return [...own, ...below];
  });
}
