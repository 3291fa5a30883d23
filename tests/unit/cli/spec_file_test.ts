import assert from "node:assert/strict";
import { join } from "node:path";
import { loadSpec } from "../../../client/cli/spec_file.ts";

const GOOD = `name: quick
space: { kind: cnn, classes: 10 }
evaluator: { kind: builtin, name: noop }
budget: { trials: 5 }
`;

/** Writes files into a folder of their own and loads the first. */
async function load(files: Readonly<Record<string, string>>, sets: readonly string[] = []) {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), text);
    const loaded = await loadSpec(join(folder, Object.keys(files)[0] ?? ""), sets);
    const short = (text: string) => text.replaceAll(`${folder}/`, "");
    return loaded.ok
      ? { ...loaded, folder, problems: [] }
      : { ...loaded, folder, problems: loaded.problems.map(short) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function problemsOf(text: string, sets: readonly string[] = []): Promise<readonly string[]> {
  return (await load({ "spec.yaml": text }, sets)).problems;
}

Deno.test("a YAML spec is loaded, with the defaults filled in beside what was written", async () => {
  const loaded = await load({ "spec.yaml": GOOD });
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.spec, {
    name: "quick",
    space: { kind: "cnn", classes: 10 },
    evaluator: { kind: "builtin", name: "noop" },
    budget: { trials: 5 },
  });
  assert.equal(loaded.checked.maxFailures, 5);
});

Deno.test("a JSON spec and a TypeScript module give the same as YAML", async () => {
  const json = JSON.stringify({ name: "quick", space: { kind: "cnn", classes: 10 }, budget: { trials: 5 } });
  const fromJson = await load({ "spec.json": json });
  const fromModule = await load({ "spec.ts": `export default ${json};` });
  assert.ok(fromJson.ok && fromModule.ok);
  assert.deepEqual(fromJson.spec, fromModule.spec);
});

Deno.test("a wrong value is told with file, line and path", async () => {
  assert.deepEqual(await problemsOf(GOOD.replace("trials: 5", "trials: many")), [
    "spec.yaml:4: budget.trials: expected number, found string",
  ]);
});

Deno.test("a key that is missing is told with the line of what it is missing from", async () => {
  const problems = await problemsOf("name: quick\nbudget: { trials: 5 }\nspace:\n  kind: cnn\n");
  assert.deepEqual(problems, ["spec.yaml:3: space.classes: is missing; expected a number"]);
});

Deno.test("an unknown key is told with the one that was probably meant", async () => {
  assert.deepEqual(await problemsOf(`${GOOD}optimiser: { kind: random }\n`), [
    'spec.yaml:5: optimiser: there is no such key; did you mean "optimizer"?',
  ]);
  assert.deepEqual(await problemsOf(`${GOOD}optimizer: { kind: genetic, popluation: 5 }\n`), [
    'spec.yaml:5: optimizer.popluation: there is no such key; did you mean "population"?',
  ]);
});

Deno.test("an unknown key that resembles none is told with those that there are", async () => {
  assert.deepEqual(await problemsOf(`${GOOD}optimizer: { kind: random, warmth: 5 }\n`), [
    "spec.yaml:5: optimizer.warmth: there is no such key; known are kind, seed",
  ]);
});

Deno.test("every mistake is told, not only the first", async () => {
  const problems = await problemsOf("name: a b\nspace: { kind: cnn, classes: 1 }\nbudget: {}\n");
  assert.deepEqual(problems.map((problem) => problem.split(" ")[0]), [
    "spec.yaml:1:",
    "spec.yaml:2:",
    "spec.yaml:3:",
  ]);
});

Deno.test("a search without an end is refused", async () => {
  const [problem] = await problemsOf(GOOD.replace("{ trials: 5 }", "{}"));
  assert.match(problem ?? "", /^spec\.yaml:4: budget: .*a search needs an end/);
});

Deno.test("what is no YAML is told with its line", async () => {
  const [problem] = await problemsOf("name: quick\nspace: { kind: cnn\nbudget: 1\n");
  assert.match(problem ?? "", /^spec\.yaml:\d+: /);
});

Deno.test("a file that is not there is told by its name", async () => {
  const loaded = await loadSpec("no/such/file.yaml");
  assert.deepEqual(loaded, { ok: false, problems: ["no/such/file.yaml: there is no such file"] });
});

Deno.test("an empty file is told what it lacks", async () => {
  const [problem] = await problemsOf("");
  assert.match(problem ?? "", /^spec\.yaml: .*expected/);
});

Deno.test("an evaluator's path is taken from the spec's folder and made absolute", async () => {
  const spec = GOOD.replace("{ kind: builtin, name: noop }", "{ kind: module, path: ./evaluate.ts }");
  const loaded = await load({ "spec.yaml": spec, "evaluate.ts": "" });
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.spec.evaluator, { kind: "module", path: join(loaded.folder, "evaluate.ts") });
});

Deno.test("an evaluator that is not there is told with the line that names it", async () => {
  const spec = GOOD.replace("{ kind: builtin, name: noop }", "{ kind: module, path: ./evaluate.ts }");
  assert.deepEqual(await problemsOf(spec), [
    "spec.yaml:3: evaluator.path: there is no file evaluate.ts; paths are relative to the spec's folder",
  ]);
});

Deno.test("a space in a module is written out", async () => {
  const spec = GOOD.replace("{ kind: cnn, classes: 10 }", "{ kind: module, path: ./space.ts }");
  const space = { kind: "parameters", parameters: { rate: { type: "real", min: 0, max: 1 } } };
  for (
    const text of [
      `export const space = ${JSON.stringify(space)};`,
      `export default ${JSON.stringify(space)};`,
    ]
  ) {
    const loaded = await load({ "spec.yaml": spec, "space.ts": text });
    assert.ok(loaded.ok);
    assert.deepEqual(loaded.spec.space, space);
  }
});

Deno.test("a mistake in a space's module is told with the module's name", async () => {
  const spec = GOOD.replace("{ kind: cnn, classes: 10 }", "{ kind: module, path: ./space.ts }");
  const broken =
    `export const space = { kind: "parameters", parameters: { rate: { type: "real", min: 2, max: 1 } } };`;
  const { problems } = await load({ "spec.yaml": spec, "space.ts": broken });
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /^space\.ts: space\.parameters\.rate/);
});

Deno.test("a space's module that throws or exports nothing is told once", async () => {
  const spec = GOOD.replace("{ kind: cnn, classes: 10 }", "{ kind: module, path: ./space.ts }");
  const thrown = await load({ "spec.yaml": spec, "space.ts": `throw new Error("no luck");` });
  assert.deepEqual(thrown.problems, ["spec.yaml:2: space.path: space.ts cannot be loaded: no luck"]);
  const empty = await load({ "spec.yaml": spec, "space.ts": "export {};" });
  assert.deepEqual(empty.problems, [
    'spec.yaml:2: space.path: space.ts exports neither "space" nor a default',
  ]);
});

Deno.test("--set changes a value, adds one, and reaches into lists", async () => {
  const loaded = await load({ "spec.yaml": `${GOOD}objectives: [{ metric: accuracy }]\n` }, [
    "budget.trials=20",
    "budget.time=1h 30m",
    "objectives[0].direction=minimize",
    "optimizer={ kind: genetic, seed: 7 }",
  ]);
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.spec.budget, { trials: 20, time: "1h 30m" });
  assert.deepEqual(loaded.spec.objectives, [{ metric: "accuracy", direction: "minimize" }]);
  assert.deepEqual(loaded.spec.optimizer, { kind: "genetic", seed: 7 });
  assert.equal(loaded.checked.budget.time, 5_400_000);
});

Deno.test("a mistake that --set brought in is told as its own", async () => {
  assert.deepEqual(await problemsOf(GOOD, ["budget.trials=-1"]), [
    "--set budget.trials: budget.trials: Too small: expected number to be >=1",
  ]);
  assert.deepEqual(await problemsOf(GOOD, ["budget"]), [
    "--set budget: expected PATH=VALUE, such as budget.trials=20",
  ]);
});

Deno.test("--set leaves the data of the file as it was for others", async () => {
  const loaded = await load({ "spec.yaml": GOOD }, ["name=other"]);
  assert.ok(loaded.ok);
  assert.equal(loaded.spec.name, "other");
});
