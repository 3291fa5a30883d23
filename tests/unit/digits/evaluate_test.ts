import assert from "node:assert/strict";
import { type Context, evaluate, finalTest } from "../../../examples/digits/evaluate.ts";
import { compileSpace } from "../../../shared/space/space.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { parse } from "yaml";
import { chain, REFERENCE } from "./sketch.ts";

const FOLDER = new URL("../../../examples/digits/", import.meta.url);
/** Trains in a moment. */
const LINEAR = chain([8, 8, 1], [], 10);

Deno.test("an evaluation reports every epoch and returns the last as its metrics", async () => {
  const reports: [number, Record<string, number>][] = [];
  const context = contextOf({
    architecture: LINEAR,
    report: (step, metrics) => reports.push([step, metrics]),
  });
  const result = await evaluate({ learning_rate: 0.01, batch_size: 16, optimizer: "adam" }, context);
  assert.deepEqual(reports.map(([step]) => step), Array.from({ length: result.epochs }, (_, i) => i + 1));
  assert.equal(reports.at(-1)?.[1].accuracy, result.accuracy);
  assert.equal(reports.at(-1)?.[1].loss, result.loss);
  assert.equal(result.parameters, 650);
  assert.ok(result.accuracy > 0.85, `accuracy ${result.accuracy}`);
});

Deno.test("an evaluation is the same again, with another seed another", async () => {
  const run = (seed: number) => evaluate({ batch_size: 64 }, contextOf({ architecture: LINEAR, seed }));
  assert.deepEqual(await run(1), await run(1));
  assert.notEqual((await run(1)).loss, (await run(2)).loss);
});

Deno.test("the final test measures on other images than the search", async () => {
  const reported = new Set<string>();
  const report = (_: number, metrics: Record<string, number>) =>
    Object.keys(metrics).forEach((name) => reported.add(name));
  const context = contextOf({ architecture: LINEAR, report });
  const { test_accuracy: accuracy, test_loss: loss, parameters } = await finalTest(
    { batch_size: 64 },
    context,
  );
  assert.deepEqual([...reported], ["train_loss"], "the test part is looked at once, at the end");
  assert.equal(parameters, 650);
  assert.ok(accuracy > 0.9, `accuracy ${accuracy}`);
  assert.notEqual(loss, (await evaluate({ batch_size: 64 }, context)).loss);
});

Deno.test("a candidate that cannot be trained fails for good, with what is wrong", async () => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ learning_rate: "fast" }, /learning_rate is "fast"/],
    [{ learning_rate: 0 }, /learning_rate is 0/],
    [{ batch_size: 2.5 }, /batch_size is 2\.5/],
    [{ optimizer: "magic" }, /optimizer is "magic"; this evaluator knows adam and sgd/],
  ];
  for (const [candidate, message] of wrong) {
    await assert.rejects(evaluate(candidate, contextOf({ architecture: REFERENCE })), {
      name: "FatalError",
      message,
    });
  }
});

Deno.test("a space without fitting architectures is answered with one that has them", async () => {
  const needed = /write "space: \{ kind: cnn, classes: 10, input: \[8, 8, 1\] \}"/;
  for (const architecture of [undefined, chain([28, 28, 1], [], 10), chain([8, 8, 1], [], 2)]) {
    await assert.rejects(evaluate({}, contextOf({ architecture })), { name: "FatalError", message: needed });
  }
});

Deno.test("candidates of the experiment's own space can be trained", async () => {
  const spec: unknown = parse(await Deno.readTextFile(new URL("experiment.yaml", FOLDER)));
  assert.ok(typeof spec === "object" && spec !== null && "space" in spec);
  const space = compileSpace(spec.space);
  assert.ok(space.ok);
  for (let i = 0; i < 20; i++) {
    const candidate = space.value.sample(seededRandom("digits", i));
    const controller = new AbortController();
    // One report is enough to know that it trains.
    const architecture = space.value.decode(candidate);
    const context = contextOf({ architecture, signal: controller.signal, report: () => controller.abort() });
    await assert.rejects(evaluate(candidate, context), { name: "AbortError" });
  }
});

Deno.test("the evaluator needs no permission but to read its own folder", async () => {
  const script = `
    import { evaluate } from ${JSON.stringify(new URL("evaluate.ts", FOLDER).href)};
    const context = { architecture: ${JSON.stringify(LINEAR)}, seed: 1, trial: 1, attempt: 1, report() {} };
    const { parameters } = await evaluate({}, { ...context, signal: new AbortController().signal });
    console.log(parameters);
  `;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, script);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--no-config",
        `--allow-read=${decodeURIComponent(FOLDER.pathname)}`,
        path,
      ],
    }).output();
    assert.equal(new TextDecoder().decode(stdout).trim(), "650", new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(path);
  }
});

function contextOf(part: Partial<Context>): Context {
  const signal = new AbortController().signal;
  return { architecture: undefined, seed: 1, trial: 1, attempt: 1, signal, report: () => {}, ...part };
}
