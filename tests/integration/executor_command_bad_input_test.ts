/**
 * Programs and Python files that go wrong, through a real worker and seen from a client: each ends in an outcome that says
 * what happened. A disk that is full has tests of its own (executor_command_disk_test.ts, executor_python_disk_test.ts).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type Client, connect, type TaskOutcome } from "../../client/mod.ts";
import type { Evaluator } from "../../shared/model/task.ts";
import { testPython } from "../unit/worker/executors_python_rig.ts";
import { CliProcess, inFolder } from "./cli_process.ts";

interface Case {
  readonly evaluator: Evaluator;
  readonly candidate?: unknown;
  /** What its failure says; without it, it completes with `a`: 1. */
  readonly says?: RegExp;
}

/** A worker that met a line of 1 GB may have taken so much memory, with its runtime. */
const MEMORY_MAX_KIB = 700_000;
const LINE_BYTES = 1_000_000_000;
const ODD_NAME = `it's "the" $HOME; name`;

Deno.test({
  name: "whatever a program does, its task ends with what happened, and the worker goes on",
  timeout: 60_000,
  fn: () =>
    inFolder(async (folder) => {
      const shell = (script: string, more = {}): Evaluator => ({
        kind: "command",
        command: ["sh", "-c", script.replaceAll("{", "{{").replaceAll("}", "}}")],
        ...more,
      });
      const command = (...words: string[]): Evaluator => ({
        kind: "command",
        command: words,
        folder,
      });
      const lastLine = { result: "last_line" };
      await writeFiles(folder);
      await assertOutcomes(folder, [
        {
          evaluator: command("no-such-interpreter", "train.x"),
          says: /no program "no-such-interpreter" on this machine/,
        },
        { evaluator: command("./odd.sh"), says: /odd\.sh names \/no\/such\/sh as its interpreter/ },
        { evaluator: command("./plain.sh"), says: /plain\.sh is not executable: chmod \+x it/ },
        { evaluator: command("sh", "./loop"), says: /exit code \d+: .*loop/ },
        { evaluator: command("./loop"), says: /no program .*loop on this machine/ },
        { evaluator: shell(`echo '{"a": NaN}'`, lastLine), says: /its metric "a" is NaN/ },
        { evaluator: shell(`echo '{"a": -Infinity}'`, lastLine), says: /its metric "a" is -Infinity/ },
        { evaluator: shell(`echo '{"a": 1e999}'`, lastLine), says: /its metric "a" is Infinity/ },
        { evaluator: shell(`echo '{"a": "good"}'`, lastLine), says: /its metric "a" is a string/ },
        { evaluator: shell(`echo accuracy 0.5`, lastLine), says: /it is no JSON: accuracy 0\.5/ },
        { evaluator: shell("true", lastLine), says: /the program printed nothing/ },
        { evaluator: shell("true"), says: /said no metrics/ },
        {
          evaluator: shell(`echo '{"a": NaN}' > "$ESPALIER_DIR/result.json"`),
          says: /result\.json has no metrics, .*NaN/,
        },
        {
          evaluator: shell(`head -c ${LINE_BYTES} /dev/zero | tr '\\0' a`, lastLine),
          says: /the last line is longer than what is read of one/,
        },
        {
          evaluator: shell(`printf 'not \\377\\376 text\\n' >&2; exit 3`),
          says: /exit code 3: not \ufffd\ufffd text/,
        },
        { evaluator: shell(`printf '{"a\\377": 1}'`, lastLine) },
        { evaluator: { ...command(`./${ODD_NAME}.sh`, "{name}") }, candidate: { name: ODD_NAME } },
      ]);
    }),
});

testPython(
  "whatever a Python file does, its task ends with what happened, and the worker goes on",
  () =>
    inFolder(async (folder) => {
      let files = 0;
      const python = (body: string, more = {}): Evaluator => {
        const path = `${folder}/evaluate_${files += 1}.py`;
        Deno.writeTextFileSync(path, `import os, sys\ndef evaluate(candidate, context):\n    ${body}\n`);
        return { kind: "python", path, ...more };
      };
      const file = (name: string): Evaluator => ({ kind: "python", path: `${folder}/${name}` });
      await writeFiles(folder);
      await assertOutcomes(folder, [
        {
          evaluator: python("return {}", { interpreter: "python-9.9" }),
          says: /the evaluator's interpreter is missing: .*"python-9\.9"/,
        },
        { evaluator: python("return {}", { interpreter: "./odd.sh" }), says: /odd\.sh names \/no\/such\/sh/ },
        { evaluator: file("gone.py"), says: /there is no file .*gone\.py on this machine/ },
        { evaluator: file("loop.py"), says: /loop\.py cannot be read: .*symbolic links/ },
        { evaluator: file("broken.py"), says: /line 1 of .*broken\.py: .*/ },
        { evaluator: file("bytes.py"), says: /bytes\.py/ },
        { evaluator: python(`return {"a": float("nan")}`), says: /its metric "a" is nan/ },
        { evaluator: python(`return {"a": float("inf")}`), says: /its metric "a" is inf/ },
        { evaluator: python(`return {"a": "good"}`), says: /its metric "a" is a str/ },
        { evaluator: python(`return None`), says: /evaluate must return metrics, but it is None/ },
        { evaluator: python(`context.report(1, a=float("nan"))`), says: /ValueError: .*"a" is nan/ },
        { evaluator: python(`raise ValueError("\\udcff \\u00e9")`), says: /ValueError: \\udcff \u00e9/ },
        { evaluator: python(`sys.stdout.buffer.write(b"\\xff\\xfe\\n"); return {"a": 1}`) },
        {
          evaluator: python(
            `piece = b"a" * 1000000; [sys.stdout.buffer.write(piece) for _ in range(${
              LINE_BYTES / 1e6
            })]; return {"a": 1}`,
          ),
        },
        { evaluator: file(`${ODD_NAME}.py`), candidate: { name: ODD_NAME } },
      ]);
    }),
);

async function writeFiles(folder: string): Promise<void> {
  const says = `printf '[tune-metric]: {"a": %d}\\n' "$([ "$1" = ${quoted(ODD_NAME)} ] && echo 1)"\n`;
  await Deno.writeTextFile(`${folder}/odd.sh`, "#!/no/such/sh\n", { mode: 0o755 });
  await Deno.writeTextFile(`${folder}/plain.sh`, "echo hi\n", { mode: 0o644 });
  await Deno.writeTextFile(`${folder}/${ODD_NAME}.sh`, `#!/bin/sh\n${says}`, { mode: 0o755 });
  // Nobody can read these, root neither.
  await Deno.symlink("loop", `${folder}/loop`);
  await Deno.symlink("loop.py", `${folder}/loop.py`);
  await Deno.writeTextFile(`${folder}/broken.py`, "def evaluate(:\n");
  await Deno.writeFile(`${folder}/bytes.py`, Uint8Array.of(0x23, 0xff, 0xfe, 0x0a));
  await Deno.writeTextFile(
    `${folder}/${ODD_NAME}.py`,
    `def evaluate(candidate, context): return {"a": candidate["name"] == ${
      JSON.stringify(ODD_NAME)
    } and 1}\n`,
  );
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function assertOutcomes(folder: string, cases: readonly Case[]): Promise<void> {
  const data = ["--data", `${folder}/data`];
  const master = new CliProcess(["master", ...data, "--port", "0"]);
  const [, url = ""] = await master.line(/^master +(http:\/\/127\.0\.0\.1:\d+)$/m);
  const worker = new CliProcess(["worker", ...data, "--slots", "2"]);
  const { admin } = JSON.parse(await Deno.readTextFile(`${folder}/data/tokens.json`));
  const client = await connect({ url, token: admin });
  try {
    await Promise.all(cases.map(async (each) => {
      const [outcome] = await run(client, each);
      const shown = `${JSON.stringify(each)}: ${JSON.stringify(outcome)}`;
      if (each.says === undefined) {
        equal(outcome?.state, "completed", shown);
        deepEqual(Object.values(outcome?.metrics ?? {}), [1], shown);
      } else {
        equal(outcome?.state, "failed", shown);
        equal(outcome?.cause, "evaluator", shown);
        match(outcome?.message ?? "", each.says);
      }
    }));
    equal((await client.workers()).length, 1);
    const [, peakKiB] = /^VmHWM:\s+(\d+) kB$/m.exec(await Deno.readTextFile(`/proc/${worker.pid}/status`)) ??
      [];
    ok(Number(peakKiB) < MEMORY_MAX_KIB, `the worker took ${peakKiB} KiB`);
  } finally {
    await client.close();
  }
  await worker.stop();
  await master.stop();
}

/** Runs one task, without retries, to its outcome. */
async function run(client: Client, { evaluator, candidate = {} }: Case): Promise<TaskOutcome[]> {
  const task = await client.submit({
    name: "bad",
    evaluator,
    inputs: [candidate],
    retry: { limit: 0 },
    graceMs: 100,
  });
  return await Array.fromAsync(task.outcomes());
}
