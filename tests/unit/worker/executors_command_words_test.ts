import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { fillCommand, splitWords } from "../../../shared/model/command.ts";
import { type Spec, specSchema } from "../../../shared/protocol/spec.ts";

const words = (line: string) => {
  const split = splitWords(line);
  return split.ok ? split.words : split.message;
};
const filled = (command: readonly string[], candidate: unknown) => {
  const done = fillCommand(command, candidate);
  return done.ok ? done.words : done.message;
};

Deno.test("a line is split as a shell splits words, and nothing in it is expanded", () => {
  deepEqual(words("python  train.py --lr {lr}"), ["python", "train.py", "--lr", "{lr}"]);
  deepEqual(words(`a 'b c' "d \\"e\\" \\x" f\\ g ''`), ["a", "b c", 'd "e" \\x', "f g", ""]);
  deepEqual(words("x $HOME * | y > z; `id` &"), ["x", "$HOME", "*", "|", "y", ">", "z;", "`id`", "&"]);
  deepEqual(words(`--name='a b'"c"`), ["--name=a bc"]);
});

Deno.test("quotes that are not closed and empty lines are mistakes that say where", () => {
  match(String(words("a 'b")), /the quote ' at character 3 is not closed/);
  match(String(words("  ")), /the command is empty; expected a program/);
});

Deno.test("a shell splits what was quoted for it into the same words", async () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab '\"\\$`*{}\t"), maxLength: 12 });
  for (const list of fc.sample(fc.array(text, { minLength: 1, maxLength: 5 }), { numRuns: 20, seed: 1 })) {
    const line = list.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const args = ["-c", `printf '%s\\n' ${line}`];
    const { stdout } = await new Deno.Command("sh", { args }).output();
    equal(new TextDecoder().decode(stdout), `${list.join("\n")}\n`);
    deepEqual(words(line), list);
  }
});

Deno.test("values are parts of one argument, whatever is in them", () => {
  const candidate = {
    lr: 1e-7,
    name: "a b; rm -rf / 'x' $(id)",
    arch: { layers: 3, wide: true },
    list: [1, 2],
  };
  deepEqual(
    filled(
      ["p", "--lr={lr}", "{name}", "{arch.layers}x{list.1}", "{arch}", "{{lr}}", "{arch.wide}"],
      candidate,
    ),
    ["p", "--lr=1e-7", "a b; rm -rf / 'x' $(id)", "3x2", '{"layers":3,"wide":true}', "{lr}", "true"],
  );
});

Deno.test("a value that the candidate has not goes, and the flag in front of it with it", () => {
  const command = [
    "p",
    "--verbose",
    "--momentum",
    "{momentum}",
    "--warmup={warmup}",
    "in",
    "{x}",
    "--lr",
    "{lr}",
  ];
  deepEqual(filled(command, { lr: 1, warmup: null }), ["p", "--verbose", "in", "--lr", "1"]);
});

Deno.test("what objects inherit is no value", () => {
  deepEqual(filled(["p", "{constructor}", "{toString.name}"], {}), ["p"]);
});

const problemsOf = (command: unknown, more: object = {}) => {
  const checked = specSchema.safeParse({
    name: "n",
    space: {
      kind: "parameters",
      parameters: {
        lr: { type: "real", min: 0, max: 1 },
        arch: { type: "group", of: { layers: { type: "integer", min: 1, max: 3 } } },
        blocks: { type: "repeat", min: 1, max: 2, of: { filters: { type: "choice", options: [8] } } },
        head: {
          type: "choice",
          options: ["linear", { name: "mlp", of: { units: { type: "integer", min: 1, max: 9 } } }],
        },
      },
    },
    evaluator: { kind: "command", command, ...more },
    objectives: [{ metric: "loss" }],
    budget: { trials: 1 },
  });
  return checked.success
    ? []
    : checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

Deno.test("a name that the space does not have is told with its path and the one that was meant", () => {
  deepEqual(problemsOf("p {lr} {arch.layers} {blocks.1.filters} {head.mlp.units} {head} {blocks}"), []);
  deepEqual(problemsOf("p {lt}"), ['evaluator.command: {lt}: the space has no "lt"; did you mean "lr"?']);
  deepEqual(problemsOf(["p", "{arch.layer}"]), [
    'evaluator.command: {arch.layer}: arch has no "layer"; did you mean "arch.layers"?',
  ]);
  deepEqual(problemsOf("p {lr.x}"), ["evaluator.command: {lr.x}: lr has no values of its own"]);
  deepEqual(problemsOf("p {blocks.2.filters}").length, 1);
});

Deno.test("braces that belong to no value, quotes that are not closed and nothing at all are mistakes", () => {
  match(problemsOf(["p", '{"a":1}']).join(), /has a brace that belongs to no value: write \{name\}/);
  match(problemsOf("p 'x").join(), /is not closed/);
  ok(problemsOf("").length === 1 && problemsOf([]).length === 1);
});

Deno.test("a spec cannot say what the worker says, nor have its token", () => {
  deepEqual(problemsOf("p", { env: ["A", "B=1 2", "_C="] }), []);
  for (const env of ["ESPALIER_TOKEN", "ESPALIER_DIR=/", "A B", "=1", ""]) {
    match(problemsOf("p", { env: [env] }).join(), /evaluator\.env\.0: expected NAME/);
  }
});

Deno.test("a checked command is a list, whichever way it was written", () => {
  const spec: Spec = specSchema.parse({
    name: "n",
    space: { kind: "cnn", classes: 2 },
    evaluator: { kind: "command", command: "p --lr '{learning_rate}'" },
    budget: { trials: 1 },
  });
  deepEqual(spec.evaluator, { kind: "command", command: ["p", "--lr", "{learning_rate}"] });
});
