/**
 * The example with checkpoints: a worker that dies at step 7 of 10, and another that goes on.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { testPython } from "../unit/worker/executors_python_rig.ts";
import { cliJson, CliProcess, inFolder } from "./cli_process.ts";

const EXAMPLE = new URL("../../examples/resume/", import.meta.url).pathname;
/** Waits in its eighth epoch, where nobody has written the file before. */
const WAITS = `        if epoch == 8 and not os.path.exists(ONCE):
            open(ONCE, "w").close()
            import time
            time.sleep(3600)
`;

testPython(
  "a trial whose worker is killed at step 7 of 10 goes on from there on another, and ends as one that was left alone",
  () =>
    inFolder(async (folder) => {
      const master = new CliProcess(["master", "--data", `${folder}/data`, "--port", "0"]);
      const [, url = ""] = await master.line(/^master +(http:\/\/127\.0\.0\.1:\d+)$/m);
      const named = ["--master", url, "--token-file", `${folder}/data/tokens.json`];
      const worker = (name: string) =>
        new CliProcess(["worker", ...named, "--data", `${folder}/${name}`, "--slots", "1"]);
      const first = worker("first");
      const search = await startSearch(folder, named);
      while (!await hasCheckpoint(7, named)) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      first.signal("SIGKILL");
      await first.finished();
      const second = worker("second");
      const { code, out, notes } = await search.finished();
      equal(code, 0, notes);
      const { best, attempts } = JSON.parse(out);
      equal(attempts, 2);
      equal(best.metrics.began_after, 7);
      // The same search again, whose one trial nobody disturbs.
      const again = await startSearch(folder, named);
      const undisturbed = JSON.parse((await again.finished()).out);
      equal(undisturbed.attempts, 1);
      deepEqual(undisturbed.best.metrics, { accuracy: best.metrics.accuracy, began_after: 0 });
      await second.stop();
      await master.stop();
    }),
);

async function startSearch(folder: string, named: readonly string[]): Promise<CliProcess> {
  const code = `${folder}/code`;
  await Deno.mkdir(code, { recursive: true });
  for (const name of ["experiment.yaml", "digits.csv.gz"]) {
    await Deno.copyFile(EXAMPLE + name, `${code}/${name}`);
  }
  const source = await Deno.readTextFile(`${EXAMPLE}evaluate.py`);
  const loop = /^ {4}for epoch in range.*\n/m.exec(source)?.[0] ?? "";
  const text = source.replace(loop, loop + WAITS.replaceAll("ONCE", JSON.stringify(`${folder}/once`)));
  await Deno.writeTextFile(`${code}/evaluate.py`, text);
  const options = [...named, "--set", "budget.trials=1", "--output", "json"];
  return new CliProcess(["run", `${code}/experiment.yaml`, ...options]);
}

async function hasCheckpoint(step: number, options: readonly string[]): Promise<boolean> {
  const kept = await cliJson("artifacts", "resume-1/1", ...options).catch(() => undefined);
  return JSON.stringify(kept ?? "").includes(`"step":${step},`);
}
