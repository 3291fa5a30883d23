/**
 * Python evaluators as users have them: a search from its file to its best, and a worker that is killed.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { pythonExecutor } from "../../worker/executors/python/python.ts";
import { firstNumber, processesIn, untilGone } from "../conformance/executor_processes.ts";
import { PYTHON, testPython } from "../unit/worker/executors_python_rig.ts";
import { cli, cliJson, CliProcess, inFolder } from "./cli_process.ts";

const EXAMPLE = new URL("../../examples/python/", import.meta.url).pathname;
const TRIALS = 12;

Deno.test({
  name: `a search over a Python function goes from its file to its best, though its worker is killed${
    PYTHON === undefined ? " (passed over: there is no python3)" : ""
  }`,
  timeout: 120_000,
  ignore: PYTHON === undefined,
  fn: () =>
    inFolder(async (folder) => {
      const data = ["--data", `${folder}/data`];
      const spec = `${folder}/curve.yaml`;
      // The worker is killed while this trial waits; when it comes back, nobody waits any more.
      const waits = `    import os, time
    once = ${JSON.stringify(`${folder}/once`)}
    if not os.path.exists(once):
        with open(once + ".new", "w") as file: file.write(str(os.getpid()))
        os.rename(once + ".new", once)
        time.sleep(3600)
`;
      const source = await Deno.readTextFile(`${EXAMPLE}evaluate.py`);
      const head = "def evaluate(candidate, context):\n";
      await Deno.writeTextFile(`${folder}/evaluate.py`, source.replace(head, head + waits));
      await Deno.copyFile(`${EXAMPLE}experiment.yaml`, spec);
      const master = new CliProcess(["master", ...data, "--port", "0"]);
      await master.line(/^master +http:\/\/127\.0\.0\.1:\d+$/m);
      const start = () => new CliProcess(["worker", ...data, "--slots", "1"]);
      const victim = start();
      const set = ["--set", `budget.trials=${TRIALS}`];
      const run = new CliProcess(["run", spec, ...data, ...set, "--output", "json"]);
      const sleeper = await untilWritten(`${folder}/once`);
      victim.signal("SIGKILL");
      await victim.finished();
      deepEqual(await untilGone(new Set([sleeper])), []);
      const again = start();
      const { code, out, notes } = await run.finished();
      equal(code, 0, notes);
      const { best, trials, attempts } = JSON.parse(out);
      equal(trials.completed, TRIALS);
      equal(attempts, TRIALS + 1);
      ok(best.metrics.loss < 0.2, JSON.stringify(best));
      match(JSON.stringify(await cliJson("best", ...data)), new RegExp(`"loss":${best.metrics.loss}`));
      await again.stop();
      await master.stop();
    }),
});

Deno.test(
  "a Python evaluator that is not there is told with its line",
  { timeout: 60_000 },
  () =>
    inFolder(async (folder) => {
      const spec = `${folder}/curve.yaml`;
      await Deno.copyFile(`${EXAMPLE}experiment.yaml`, spec);
      const { code, notes } = await cli("run", spec, "--data", `${folder}/data`);
      equal(code, 2, notes);
      match(
        notes,
        /curve\.yaml:13: evaluator\.path: there is no file .*\/evaluate\.py; paths are relative to/,
      );
    }),
);

testPython(
  "when the worker is killed, its Python dies with it; what left its group, at the next start",
  () =>
    inFolder(async (folder) => {
      const path = `${folder}/evaluate.py`;
      await Deno.writeTextFile(
        path,
        `import os, subprocess, time
def evaluate(candidate, context):
    subprocess.Popen(["sleep", "3600"], start_new_session=True)
    context.report(pid=os.getpid(), heard=0)
    while not context.should_stop(): time.sleep(0.005)
    context.report(pid=os.getpid(), heard=1)
    while True: pass
`,
      );
      const main = new URL("./executor_python_worker.ts", import.meta.url).pathname;
      const args = ["run", "-A", "--no-check", main, `${folder}/data`, path];
      const worker = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
      const group = await firstNumber(worker.stdout);
      worker.kill("SIGKILL");
      await worker.status;
      deepEqual(await untilGone(new Set([group])), []);
      equal(processesIn(folder).length, 1);
      // The next life of the worker.
      await pythonExecutor({ folder: `${folder}/data` }).close();
      deepEqual(processesIn(folder), []);
    }),
);

async function untilWritten(path: string): Promise<number> {
  for (;;) {
    const text = await Deno.readTextFile(path).catch(() => undefined);
    if (text !== undefined) return Number(text);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
