import assert from "node:assert/strict";
import { cli, cliJson, CliProcess, inFolder, writeSpec } from "./cli_process.ts";

const LIMIT = { timeout: 120_000 };

/** A master and one worker, both with the command line. */
async function withMaster(
  work: (
    stage: { readonly folder: string; readonly data: readonly string[]; readonly worker: CliProcess },
  ) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const data = ["--data", `${folder}/data`];
    const master = new CliProcess(["master", ...data, "--port", "0"]);
    await master.line(/^master +http:\/\/127\.0\.0\.1:\d+$/m);
    const worker = new CliProcess(["worker", ...data, "--slots", "2"]);
    try {
      await work({ folder, data, worker });
    } finally {
      await worker.stop();
      await master.stop();
    }
  });
}

Deno.test("an experiment is run, watched and read with the verbs", LIMIT, async (t) => {
  await withMaster(async ({ folder, data, worker }) => {
    const spec = await writeSpec(folder, { trials: 8 });

    await t.step("the worker says that it has found its master", async () => {
      await worker.line(/connected to the master at ws:/);
    });

    await t.step("run --detach answers at once with the id", async () => {
      const { code, out, notes } = await cli("run", spec, ...data, "--detach", "--output", "quiet");
      assert.equal(code, 0, notes);
      assert.equal(out.trim(), "naps-1");
    });

    await t.step("wait ends with the experiment, and show says the same again", async () => {
      const waited = await cliJson("wait", "naps-1", ...data);
      assert.deepEqual(await cliJson("show", ...data), waited);
    });

    await t.step("experiments lists it", async () => {
      const list = await cliJson("experiments", ...data);
      assert.ok(Array.isArray(list));
      assert.deepEqual(list.map(({ experiment, state }) => [experiment, state]), [["naps-1", "completed"]]);
      const { out } = await cli("experiments", ...data);
      assert.match(out, /^naps-1 +completed +8\/8/m);
    });

    await t.step("trials lists each with its metrics", async () => {
      const trials = await cliJson("trials", "last", ...data);
      assert.ok(Array.isArray(trials));
      assert.deepEqual(trials.map(({ trial }) => trial), [1, 2, 3, 4, 5, 6, 7, 8]);
      for (const { state, attempts, metrics } of trials) {
        assert.equal(state, "completed");
        assert.equal(attempts, 1);
        assert.equal(typeof metrics.ms, "number");
      }
    });

    await t.step("best prints the candidate", async () => {
      const { code, out } = await cli("best", ...data, "--output", "quiet");
      assert.equal(code, 0);
      assert.equal(typeof JSON.parse(out).ms, "number");
    });

    await t.step("export writes a line for each trial", async () => {
      const csv = await cli("export", "last", ...data);
      assert.equal(csv.out.trim().split("\n").length, 9);
      assert.match(csv.out, /^trial,state,attempts,.*metric\.ms,param\.ms$/m);
      const file = `${folder}/trials.jsonl`;
      assert.deepEqual(await cliJson("export", "last", ...data, "--format", "jsonl", "--to", file), {
        file,
        rows: 8,
      });
      const lines = (await Deno.readTextFile(file)).trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(lines, await cliJson("trials", ...data));
    });

    await t.step("explain says that a task has its outcome", async () => {
      const { code, out } = await cli("explain", "last/3", ...data);
      assert.equal(code, 0);
      assert.match(out, /^naps-1\/3 is completed: /);
    });

    await t.step("backup writes a copy that a master can be started on", async () => {
      const copy = `${folder}/copy`;
      await Deno.mkdir(copy);
      const { code, notes } = await cli("backup", `${copy}/espalier.db`, ...data);
      assert.equal(code, 0, notes);
      const second = new CliProcess(["master", "--data", copy, "--port", "0"]);
      await second.line(/^master /m);
      assert.deepEqual(await cliJson("show", "--data", copy), await cliJson("show", ...data));
      assert.equal((await second.stop()).code, 0);
    });

    await t.step("backup onto a file that is there says to name another, and nothing else", async () => {
      const { code, notes } = await cli("backup", spec, ...data);
      assert.equal(code, 1);
      assert.match(notes, /error: .*exists already: name another file$/m);
    });
  });
});

Deno.test("a trial that has its outcome cannot be cancelled, and is not said to be", LIMIT, async () => {
  await withMaster(async ({ folder, data }) => {
    const spec = await writeSpec(folder, { trials: 100_000, ms: 20 });
    await cli("run", spec, ...data, "--detach");
    const waiting = new CliProcess(["wait", ...data]);
    await waiting.line(/[1-9]\d* completed/);
    const { code, out, notes } = await cli("cancel", "last/1", ...data);
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.match(notes, /nothing to cancel: trial 1 of naps-1 has its outcome/);
    assert.equal((await cli("cancel", "last", ...data)).code, 0);
    await waiting.finished();
  });
});

Deno.test("an experiment is steered with the verbs", LIMIT, async () => {
  await withMaster(async ({ folder, data }) => {
    const spec = await writeSpec(folder, { trials: 100_000, ms: 20 });
    await cli("run", spec, ...data, "--detach");
    assert.equal((await cli("pause", "last", ...data)).code, 0);
    assert.match((await cli("show", ...data)).out, /^state +paused/m);
    assert.equal((await cli("resume", "naps-1", ...data)).code, 0);
    assert.match((await cli("show", ...data)).out, /^state +running/m);
    const waiting = cli("wait", ...data, "--output", "json");
    const cancelled = await cli("cancel", "last", ...data);
    assert.equal(cancelled.code, 0, cancelled.notes);
    const { code, out, notes } = await waiting;
    assert.equal(code, 1);
    assert.equal(JSON.parse(out).state, "cancelled");
    assert.match(notes, /naps-1 is cancelled/);
  });
});

Deno.test("workers are listed, stopped by name, and the master after them", LIMIT, async () => {
  await inFolder(async (folder) => {
    const data = ["--data", `${folder}/data`];
    const master = new CliProcess(["master", ...data, "--port", "0", "--output", "json"]);
    const [text] = await master.line(/^\{.*\}$/m);
    const { url, pid } = JSON.parse(text);
    assert.equal(pid, master.pid);
    const tokens = ["--token-file", `${folder}/data/tokens.json`];
    const worker = new CliProcess([
      "worker",
      "--master",
      url,
      ...tokens,
      "--data",
      `${folder}/worker`,
      "--slots",
      "3",
    ]);
    const id = (await Deno.readTextFile(await appears(`${folder}/worker/worker-id`))).trim();
    const list = await until(
      () => cliJson("workers", ...data),
      (value) => Array.isArray(value) && value.length > 0,
    );
    assert.ok(Array.isArray(list));
    assert.deepEqual(list.map((each) => [each.id, each.slots]), [[id, 3]]);
    assert.equal((await cli("stop", id, ...data)).code, 0);
    assert.equal((await worker.finished()).code, 0);
    assert.equal((await cli("stop", "nobody", ...data)).code, 1);
    assert.equal((await cli("stop", "master", "--master", url, ...tokens)).code, 0);
    assert.equal((await master.finished()).code, 0);
  });
});

Deno.test("what is not there is a failure that says so", LIMIT, async () => {
  await withMaster(async ({ data }) => {
    for (const verb of ["show", "best", "trials", "wait", "export"]) {
      const { code, out, notes } = await cli(verb, "nope", ...data);
      assert.equal(code, 1, verb);
      assert.equal(out, "");
      assert.match(notes, /there is no experiment "nope"; see which there are: espalier experiments/);
    }
    const none = await cli("show", ...data);
    assert.equal(none.code, 1);
    assert.match(none.notes, /there is no experiment yet; start one/);
    assert.equal((await cli("explain", "nope/1", ...data)).code, 1);
    assert.equal((await cli("explain", "nope", ...data)).code, 2);
  });
});

Deno.test("a data folder and a port that are in use are told with what to do", LIMIT, async () => {
  await inFolder(async (folder) => {
    const master = new CliProcess(["master", "--data", `${folder}/data`, "--port", "0"]);
    const [, port] = await master.line(/^master +http:\/\/127\.0\.0\.1:(\d+)$/m);
    const sameFolder = await cli("master", "--data", `${folder}/data`, "--port", "0");
    assert.equal(sameFolder.code, 1);
    assert.match(sameFolder.notes, /error: .*in use|error: .*another master/);
    const samePort = await cli("master", "--data", `${folder}/other`, "--port", port ?? "");
    assert.equal(samePort.code, 1);
    assert.match(samePort.notes, /port \d+ of 127\.0\.0\.1 is in use; .*--port/);
    const open = await cli("master", "--data", `${folder}/open`, "--host", "0.0.0.0", "--port", "0");
    assert.equal(open.code, 1);
    assert.match(open.notes, /--insecure/);
    const everywhere = ["--data", `${folder}/everywhere`];
    const insecure = new CliProcess([
      "master",
      ...everywhere,
      "--host",
      "0.0.0.0",
      "--insecure",
      "--port",
      "0",
    ]);
    await insecure.line(/^master +http:\/\/127\.0\.0\.1:\d+$/m);
    assert.equal((await cli("experiments", ...everywhere)).code, 0);
    assert.equal((await insecure.stop()).code, 0);
    assert.equal((await master.stop()).code, 0);
  });
});

Deno.test(
  "a killed master with --respawn is started again, and a search and who waits for it go on",
  LIMIT,
  async () => {
    await inFolder(async (folder) => {
      const data = ["--data", `${folder}/data`];
      const parent = new CliProcess(["master", ...data, "--port", "0", "--respawn"]);
      await parent.line(/^master +http:/m);
      const pid = async () => JSON.parse(await Deno.readTextFile(`${folder}/data/master.json`)).pid;
      const worker = new CliProcess(["worker", ...data, "--slots", "2"]);
      await cli("run", await writeSpec(folder, { trials: 20, ms: 100 }), ...data, "--detach");
      const waiting = new CliProcess(["wait", ...data, "--output", "json"]);
      await waiting.line(/naps-1: [1-9]\d* completed/);
      const first = await pid();
      Deno.kill(first, "SIGKILL");
      await parent.line(/the master ended \(SIGKILL\); it is started again/);
      const { code, out, notes } = await waiting.finished();
      assert.equal(code, 0, notes);
      assert.equal(JSON.parse(out).trials.completed, 20);
      const second = await pid();
      assert.notEqual(second, first);
      assert.equal((await worker.stop()).code, 0);
      assert.equal((await parent.stop()).code, 0);
      assert.throws(() => Deno.kill(second, "SIGCONT"));
    });
  },
);

/** Waits for a file by the events of its folder. */
async function appears(path: string): Promise<string> {
  return await until(() => Promise.resolve(path), () => exists(path));
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile && Deno.readTextFileSync(path) !== "";
  } catch {
    return false;
  }
}

/** Asks again until the answer is good: each question is a process or a turn of the loop of its own. */
async function until<T>(ask: () => Promise<T>, isGood: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (isGood(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
