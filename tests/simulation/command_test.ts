/**
 * `deno task simulate` and its like, as somebody at a terminal meets them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { numbers, plainNames, range } from "../../scripts/simulate/words_in.ts";

const simulate = (...args: readonly string[]) => run("simulate", ...args);

async function run(
  task: string,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly text: string }> {
  const script = new URL(`../../scripts/${task}.ts`, import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("a seed is run, its hash is told, and without its events it is another run", async () => {
  const whole = await simulate("--seed", "7");
  assert.equal(whole.code, 0, whole.text);
  assert.match(whole.text, /^seed 7: hash [0-9a-f]{16}, \d+ events/);
  const less = await simulate("--seed", "7", "--only", "none", "--plain", "calm-disk,one-worker");
  assert.equal(less.code, 0, less.text);
  assert.match(less.text, /events of the schedule: 0/);
  assert.notEqual(less.text.split(",")[0], whole.text.split(",")[0]);
});

Deno.test("a campaign over two processes counts every seed once and ends with 0 where all held", async () => {
  const { code, text } = await simulate("--seeds", "1-9", "--jobs", "2");
  assert.equal(code, 0, text);
  assert.match(text, /^9 seeds in \d/m);
  assert.match(text, /^submissions_kept +9 +100\.00/m);
  assert.match(text, /every promise held/);
});

Deno.test("what is no range and no number is told, with code 2", async () => {
  for (
    const args of [
      ["--seeds", "1..9"],
      ["--seeds", "9-3"],
      ["--seeds", "1-9", "--jobs", "x"],
      ["--seed", "1", "--steps", "x"],
      ["--seed", "1", "--without", "x"],
      ["--seed", "1", "--plain", "x"],
    ]
  ) {
    const { code, text } = await simulate(...args);
    assert.equal(code, 2, text);
    assert.match(text, new RegExp(`${args.at(-2)}.* takes? `));
  }
});

Deno.test("the tasks of the proofs tell their use, and answer a wrong flag or name with it and code 2", async () => {
  for (const task of ["simulate", "mutants", "torture", "bench"]) {
    const asked = await run(task, "--help");
    assert.equal(asked.code, 0, asked.text);
    assert.match(asked.text, new RegExp(`^deno task ${task} `, "m"));
    for (const wrong of ["--nope", "nope"]) {
      const { code, text } = await run(task, wrong);
      assert.equal(code, 2, text);
      assert.match(text, new RegExp(`^error: .*nope[^]*^deno task ${task} `, "m"));
    }
  }
});

Deno.test("ranges, numbers and names are read as they are written", () => {
  assert.deepEqual(range("3-5"), ["3", "4", "5"]);
  assert.equal(range("5"), undefined);
  assert.deepEqual(numbers("3,7"), [3, 7]);
  assert.deepEqual(numbers("none"), []);
  assert.equal(numbers("3,"), "wrong");
  assert.deepEqual(plainNames("calm-disk"), ["calm-disk"]);
  assert.equal(plainNames("calm"), "wrong");
});
