import assert from "node:assert/strict";
import { cli, CliProcess, inFolder, writeSpec } from "./cli_process.ts";

const LOCAL = ["--workers", "2", "--slots", "1"];
const LIMIT = { timeout: 60_000 };

Deno.test(
  "run without a master searches with one of its own and prints exactly one object",
  LIMIT,
  () =>
    inFolder(async (folder) => {
      const spec = await writeSpec(folder, { trials: 6 });
      const { code, out, notes } = await cli(
        "run",
        spec,
        "--data",
        `${folder}/data`,
        ...LOCAL,
        "--output",
        "json",
      );
      assert.equal(code, 0, notes);
      const { best, seconds, ...rest } = JSON.parse(out);
      assert.deepEqual(rest, {
        experiment: "naps-1",
        state: "completed",
        trials: { completed: 6, failed: 0, cancelled: 0, pruned: 0 },
        attempts: 6,
      });
      assert.ok(best.trial >= 1 && best.trial <= 6);
      assert.deepEqual(best.metrics, best.candidate);
      assert.ok(seconds > 0);
      assert.match(notes, /status page: http:\/\/127\.0\.0\.1:\d+\/login\?token=espalier_view_/);
    }),
);

Deno.test("run draws the best architecture where the space has one", LIMIT, () =>
  inFolder(async (folder) => {
    const spec = `${folder}/cnn.yaml`;
    await Deno.writeTextFile(spec, "name: cnn\nspace: { kind: cnn, classes: 10 }\nbudget: { trials: 5 }\n");
    const { code, out, notes } = await cli("run", spec, "--data", `${folder}/data`, ...LOCAL);
    assert.equal(code, 0, notes);
    assert.match(out, /^state +completed$/m);
    assert.match(out, /^\d+ layers, [\d,]+ parameters$/m);
  }));

Deno.test(
  "a run that is interrupted stops gracefully, and the same command goes on",
  LIMIT,
  () =>
    inFolder(async (folder) => {
      const spec = await writeSpec(folder, { trials: 30, ms: 100 });
      const args = ["run", spec, "--data", `${folder}/data`, ...LOCAL, "--output", "json"];
      const first = new CliProcess(args);
      await first.line(/naps-1: [1-9]\d* completed/);
      first.signal("SIGINT");
      const stopped = await first.finished();
      assert.equal(stopped.code, 130);
      assert.equal(stopped.out, "");
      assert.match(stopped.notes, /run the same command again to go on/);
      const second = await cli(...args);
      assert.equal(second.code, 0, second.notes);
      assert.match(second.notes, /naps-1 goes on where it stopped: [1-9]\d* of 30 trials are done/);
      const { experiment, trials } = JSON.parse(second.out);
      assert.equal(experiment, "naps-1");
      assert.deepEqual(trials, { completed: 30, failed: 0, cancelled: 0, pruned: 0 });
    }),
);

Deno.test("a run with another spec in the same folder begins anew", LIMIT, () =>
  inFolder(async (folder) => {
    const args = ["--data", `${folder}/data`, ...LOCAL, "--output", "json"];
    const first = await cli("run", await writeSpec(folder, { trials: 2 }), ...args);
    const second = await cli("run", await writeSpec(folder, { trials: 3 }), ...args);
    assert.equal(first.code + second.code, 0, first.notes + second.notes);
    assert.equal(JSON.parse(second.out).experiment, "naps-2");
  }));

Deno.test(
  "a local worker that is killed is started again, and no trial is lost",
  LIMIT,
  () =>
    inFolder(async (folder) => {
      const spec = await writeSpec(folder, { trials: 20, ms: 100 });
      const run = new CliProcess(["run", spec, "--data", `${folder}/data`, ...LOCAL, "--output", "json"]);
      await run.line(/naps-1: [1-9]\d* completed/);
      const victim = Number((await Deno.readTextFile(`${folder}/data/workers/1/lock`)).trim());
      Deno.kill(victim, "SIGKILL");
      await run.line(/worker 1 died: it was ended by SIGKILL; it is started again/);
      const { code, out, notes } = await run.finished();
      assert.equal(code, 0, notes);
      assert.equal(JSON.parse(out).trials.completed, 20);
    }),
);

Deno.test(
  "a run that is killed goes on at once, though its workers still hold their folders",
  LIMIT,
  () =>
    inFolder(async (folder) => {
      const spec = await writeSpec(folder, { trials: 8, ms: 1_000 });
      const args = ["run", spec, "--data", `${folder}/data`, ...LOCAL, "--output", "json"];
      const first = new CliProcess(args);
      await first.line(/naps-1: [1-9]\d* completed/);
      first.signal("SIGKILL");
      await first.finished();
      const { code, out, notes } = await cli(...args);
      assert.equal(code, 0, notes);
      assert.doesNotMatch(notes, /died/);
      assert.equal(JSON.parse(out).trials.completed, 8);
    }),
);

Deno.test("local workers end when the run is killed", LIMIT, () =>
  inFolder(async (folder) => {
    const spec = await writeSpec(folder, { trials: 1_000, ms: 100 });
    const run = new CliProcess(["run", spec, "--data", `${folder}/data`, ...LOCAL]);
    await run.line(/naps-1: [1-9]\d* completed/);
    run.signal("SIGKILL");
    await run.finished();
    for (const worker of ["1", "2"]) {
      // The lock is free once the process that held it is gone, however it went.
      const lock = await Deno.open(`${folder}/data/workers/${worker}/lock`, { write: true });
      await lock.lock(true);
      lock.close();
    }
  }));

Deno.test(
  "an experiment that pauses because its trials fail says why, and goes on once its evaluator is mended",
  LIMIT,
  () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(
        `${folder}/evaluate.ts`,
        `export function evaluate() { throw new Error("no data"); }\n`,
      );
      const spec = `${folder}/fails.yaml`;
      await Deno.writeTextFile(
        spec,
        `name: fails
space: { kind: cnn, classes: 10 }
evaluator: { kind: module, path: ./evaluate.ts }
retry: { limit: 0 }
budget: { trials: 30 }
`,
      );
      const run = () => cli("run", spec, "--data", `${folder}/data`, ...LOCAL, "--output", "json");
      const { code, out, notes } = await run();
      assert.equal(code, 1, notes);
      assert.equal(JSON.parse(out).state, "paused");
      assert.match(notes, /fails-1 is paused: .*no data; mend the evaluator and run the same command again/);
      await Deno.writeTextFile(
        `${folder}/evaluate.ts`,
        `export function evaluate() { return { score: 1 }; }\n`,
      );
      const mended = await run();
      assert.equal(mended.code, 0, mended.notes);
      assert.match(mended.notes, /fails-1 goes on where it stopped/);
      assert.equal(JSON.parse(mended.out).state, "completed");
    }),
);
