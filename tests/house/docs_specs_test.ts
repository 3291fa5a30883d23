import assert from "node:assert/strict";
import { parse } from "yaml";
import { specJsonSchema } from "../../client/cli/spec_json_schema.ts";
import { seededRandom } from "../../shared/actor/random.ts";
import { optimizerSchema } from "../../shared/model/optimizer_options.ts";
import { parseDuration } from "../../shared/protocol/duration.ts";
import { specSchema } from "../../shared/protocol/spec.ts";
import { CNN_DEFAULTS, cnnSchema } from "../../shared/space/cnn.ts";
import { isRecord, type Result } from "../../shared/space/problem.ts";
import { compileSpace, type SearchSpace } from "../../shared/space/space.ts";
import { FILES, read } from "./source.ts";

const PAGES = FILES.filter((path) => /^(README|docs\/.*)\.md$/.test(path));
/** What is read as one of the candidates of the space before it. */
const CANDIDATE = "# one of its candidates";

for (const page of PAGES) {
  const blocks = [...read(page).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
  if (blocks.length === 0) continue;
  Deno.test(`every spec, space and candidate of ${page} is a good one`, () => {
    let space: SearchSpace | undefined;
    for (const text of blocks) {
      const data: unknown = parse(text);
      if (text.startsWith(CANDIDATE)) assert.deepEqual(space?.validate(data), [], text);
      else if (isRecord(data) && "budget" in data) specSchema.parse(data);
      else space = compiled(data, text);
    }
  });
}

function compiled(data: unknown, text: string): SearchSpace {
  const isWritten = isRecord(data) && typeof data["kind"] === "string";
  const result: Result<SearchSpace, unknown> = compileSpace(
    isWritten ? data : { kind: "parameters", parameters: data },
  );
  if (!result.ok) assert.fail(`${JSON.stringify(result.error)} in\n${text}`);
  return result.value;
}

Deno.test("the README's evaluator evaluates the candidates of the README's space", async () => {
  const [, yaml = ""] = /^```yaml\n([\s\S]*?)^```$/m.exec(read("README.md")) ?? [];
  const [, code = ""] = /^```ts\n(\/\/ evaluate\.ts\n[\s\S]*?)^```$/m.exec(read("README.md")) ?? [];
  const spec = specSchema.parse(parse(yaml));
  const space = compiled(spec.space, yaml);
  const url = `data:application/typescript,${encodeURIComponent(code)}`;
  const { evaluate }: Readonly<Record<string, unknown>> = await import(url);
  assert.ok(typeof evaluate === "function");
  const context = { signal: new AbortController().signal, report: () => {} };
  const lossOf = (seed: number): unknown => {
    try {
      return evaluate(space.sample(seededRandom(seed)), context).loss;
    } catch (error) {
      assert.match(String(error), /diverged/);
      return undefined;
    }
  };
  const losses = Array.from({ length: 20 }, (_, seed) => lossOf(seed)).filter((loss) => loss !== undefined);
  assert.equal(spec.objectives[0]?.metric, "loss");
  assert.ok(losses.length > 10 && losses.every(Number.isFinite), String(losses));
});

Deno.test("docs/spec.md has a row for every field of a spec, and no other", () => {
  const fields = fieldsOf(specJsonSchema(), "").filter((path) => !path.startsWith("space."));
  assert.deepEqual(rowsOf("Fields").map(([field]) => field).toSorted(), [...new Set(fields)].toSorted());
});

Deno.test("the defaults in docs/spec.md are those of the schema", () => {
  const spec = specSchema.parse({ name: "n", space: { kind: "cnn", classes: 2 }, budget: { trials: 1 } });
  const told = { ...spec, budget: {} };
  for (const [field = "", , cell = ""] of rowsOf("Fields")) {
    // What only some kinds of optimizer have is looked at below.
    if (field.startsWith("optimizer.") && at(told, field) === undefined) continue;
    const value = at(told, field.replace("[]", ".0"));
    // The parts of a group have rows of their own.
    if (typeof value === "object" || cell === "required") continue;
    const said = cell === "none" ? undefined : parseDuration(cell) ?? parse(cell);
    assert.deepEqual(said, value, field);
  }
});

Deno.test("the defaults of each kind of optimizer in docs/spec.md are those of the schema", () => {
  const cells = new Map(rowsOf("Fields").map(([field = "", , cell = ""]) => [field, cell]));
  for (const { shape } of optimizerSchema.options) {
    const kind = shape.kind.value;
    const parsed = optimizerSchema.safeParse({ kind });
    for (const [name, value] of Object.entries(parsed.data ?? {})) {
      if (name === "kind" || typeof value === "object") continue;
      const cell = cells.get(`optimizer.${name}`) ?? "";
      const said = cell.split("; ").find((part) => part.includes(`\`${kind}\``))?.split(": ")[1] ?? cell;
      assert.deepEqual(parse(said), value, `${kind} ${name}`);
    }
  }
});

Deno.test("the keys of a cnn space and their defaults in docs/spec.md are those of the code", () => {
  const rows = rowsOf("Convolutional networks");
  const keys = Object.keys(cnnSchema.shape).filter((key) => key !== "kind");
  assert.deepEqual(rows.map(([key]) => key).toSorted(), keys.toSorted());
  for (const [key = "", , cell = ""] of rows) {
    const value = at(CNN_DEFAULTS, key);
    if (value !== undefined) assert.deepEqual(parse(cell), value, key);
  }
});

/** The cells of the rows of a section's table, without their quotes. */
function rowsOf(title: string): string[][] {
  const section = read("docs/spec.md").split(new RegExp(`^#+ ${title}$`, "m"))[1]?.split(/^#+ /m)[0] ?? "";
  return section.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replace(/^`([^`]*)`$/, "$1")));
}

/** The paths of all properties; members of a list stand under `[]`. */
function fieldsOf(schema: unknown, path: string): string[] {
  if (!isRecord(schema)) return [];
  const forms = [schema["anyOf"], schema["oneOf"]].flatMap((forms) => Array.isArray(forms) ? forms : []);
  const named = isRecord(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  return [
    ...forms.flatMap((form) => fieldsOf(form, path)),
    ...fieldsOf(schema["items"], `${path}[]`),
    ...named.flatMap(([name, inner]) => {
      const field = path === "" ? name : `${path}.${name}`;
      return [field, ...fieldsOf(inner, field)];
    }),
  ];
}

function at(data: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (inner, key) => typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined,
    data,
  );
}
