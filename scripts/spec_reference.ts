/**
 * The tables of docs/spec.md that say what fields a spec has: written from the schema, between two marks.
 *
 * A field is a row: its path, its type with its range, its default, what it means. What differs between the kinds of a
 * part stands behind their names. The prose around the tables is written by hand.
 *
 * @module
 */
import { type JsonSchema, specJsonSchema } from "../client/cli/spec_json_schema.ts";
import { CNN_DEFAULTS } from "../shared/space/cnn.ts";
import { isRecord } from "../shared/space/problem.ts";
import { formatMarkdown } from "./format_markdown.ts";
import { type Field, fieldsOf } from "./spec_fields.ts";

/** The page. */
export const SPEC_PAGE = new URL("../docs/spec.md", import.meta.url);

/** Sections of the page that say more about a field. */
const SECTIONS: Readonly<Record<string, string>> = {
  "space": "spaces",
  "evaluator": "evaluators",
  "evaluator.path": "code",
  "evaluator.folder": "code",
};

/** The page with its tables written anew. */
export async function specPageText(page: string): Promise<string> {
  const schema = specJsonSchema();
  const fields = fieldsOf(schema).filter(({ path }) => !path.startsWith("space."));
  const withFields = await withTable(page, "fields of a spec", "field", fields);
  return await withTable(withFields, "keys of a cnn space", "key", cnnFields(schema));
}

async function withTable(page: string, what: string, header: string, fields: readonly Field[]) {
  const start = `<!-- The ${what}: written by scripts/spec_schema.ts from the schema, not by hand. -->\n`;
  const end = `<!-- The end of the ${what}. -->\n`;
  const [before, rest] = split(page, start);
  const [, after] = split(rest, end);
  const rows = fields.map((field) => {
    // The names of its fields stand in the rows below it.
    const isOpened = field.type.startsWith("`{") &&
      fields.some(({ path }) => path.startsWith(`${field.path}.`));
    return `| \`${field.path}\` | ${isOpened ? "" : field.type} | ${field.default} | ${meaningOf(field)} |`;
  });
  const table = `| ${header} | type | default | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  return `${before}${start}\n${await formatMarkdown(table)}\n${end}${after}`;
}

function split(text: string, mark: string): readonly [string, string] {
  const parts = text.split(mark);
  const [before, after] = parts;
  if (before === undefined || after === undefined || parts.length > 2) {
    throw new Error(`docs/spec.md must have this line once: ${mark.trim()}`);
  }
  return [before, after];
}

/** What it means, with the way to the section that says more. */
function meaningOf({ path, meaning }: Field): string {
  const section = SECTIONS[path];
  return section === undefined ? meaning : `${meaning.replace(/\.$/, "")}; see [below](#${section}).`;
}

/** The keys of `kind: cnn`, whose defaults stand apart from the schema: what is left out stays out of the spec. */
function cnnFields(schema: JsonSchema): readonly Field[] {
  const { space } = isRecord(schema["properties"]) ? schema["properties"] : {};
  const forms: readonly unknown[] = isRecord(space) && Array.isArray(space["anyOf"]) ? space["anyOf"] : [];
  const form = forms.filter(isRecord).find(({ properties }) =>
    isRecord(properties) && "classes" in properties
  );
  return fieldsOf({ ...form, default: CNN_DEFAULTS }).filter(({ path }) => !/^kind$|[.[]/.test(path));
}
