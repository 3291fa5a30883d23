/**
 * What tasks ask for on the command line, and selections of them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { cli, cliJson, CliProcess, inFolder } from "./cli_process.ts";

const LIMIT = { timeout: 120_000 };

Deno.test(
  "tasks ask for labels, memory and time, and parts of a group are cancelled and waited for",
  LIMIT,
  (t) =>
    inFolder(async (folder) => {
      const data = ["--data", `${folder}/data`];
      const master = new CliProcess(["master", ...data, "--port", "0"]);
      await master.line(/^master +http:\/\/127\.0\.0\.1:\d+$/m);
      const options = ["--slots", "2", "--gpus", "none", "--label", "zone=b", "--time-limit", "1h"];
      const worker = new CliProcess(["worker", ...data, ...options]);
      await worker.line(/connected to the master at ws:/);
      const submit = async (...args: readonly string[]) => {
        const { code, out, notes } = await cli(
          "submit",
          ...data,
          "--folder",
          folder,
          "--output",
          "quiet",
          ...args,
        );
        assert.equal(code, 0, notes);
        return out.trim();
      };
      const why = async (task: string) => (await cli("explain", task, ...data, "--output", "json")).out;

      await t.step("what nobody has is told by its name", async () => {
        const gpu = await submit("--gpus", "0.5", "--gpu-memory", "16GiB", "--", "true");
        assert.match(await why(`${gpu}/1`), /needs 0\.5 of a gpu with 16 GiB of its memory; \S+ has 0 gpus/);
        const label = await submit("--label", "zone=c", "--", "true");
        assert.match(await why(`${label}/1`), /needs the label zone=c; \S+ has zone=b/);
        const time = await submit("--min-time", "2h", "--", "true");
        assert.match(await why(`${time}/1`), /needs 2h of a worker's time; \S+ has (1h|59m \d+s|59m) left/);
        assert.equal((await cli("cancel", gpu, label, `${time}/1`, ...data)).code, 0);
      });

      await t.step("what somebody has is run there, no longer than its limit", async () => {
        const group = await submit(
          "--label",
          "zone=b",
          "--memory",
          "1MiB",
          "--min-time",
          "1m",
          "--priority",
          "-5",
          "--",
          "true",
        );
        assert.equal((await cli("wait", group, ...data)).code, 0);
        const long = await submit("--time-limit", "100ms", "--retries", "0", "--", "sleep", "60");
        const { code, out } = await cli("wait", long, ...data);
        assert.equal(code, 1);
        assert.match(out, /0 completed, 1 failed/);
      });

      await t.step("some tasks of a group are cancelled, the others waited for", async () => {
        const script = "while [ ! -e go ]; do sleep 0.02; done";
        const group = await submit("--array", "1-6", "--", "sh", "-c", script);
        assert.deepEqual(await cliJson("cancel", `${group}/1-3`, ...data), {
          experiment: group,
          first: 1,
          last: 3,
          cancelled: 3,
        });
        assert.equal((await cli("cancel", `${group}/1-3`, ...data)).code, 1, "they have their outcomes");
        const wait = new CliProcess(["wait", `${group}/2-4`, `${group}/6`, ...data, "--output", "json"]);
        await Deno.writeTextFile(`${folder}/go`, "");
        const { code, out } = await wait.finished();
        assert.equal(code, 1, "some of them were cancelled");
        const groups = [`${group}/2-4`, `${group}/6`];
        assert.deepEqual(JSON.parse(out), { groups, submitted: 4, completed: 2, failed: 0, cancelled: 2 });
        assert.equal((await cli("wait", `${group}/4-6`, ...data)).code, 0);
      });

      await t.step("workers are listed with their labels and the time that they have left", async () => {
        const { out } = await cli("workers", ...data);
        assert.match(out, /HOST +TIME LEFT +LABELS/);
        assert.match(out, /59m.* .*zone=b/);
        assert.doesNotMatch(out, /os=/, "what each worker has by itself is noise");
      });

      await t.step("what cannot be meant is wrong usage", async () => {
        const wrong = [
          ["--gpus", "1.5"],
          ["--gpu-memory", "1GiB"],
          ["--memory", "much"],
          ["--label", "gpu"],
          ["--priority", "1.5"],
          ["--min-time", "soon"],
        ];
        for (const options of wrong) {
          const { code, notes } = await cli("submit", ...data, ...options, "--", "true");
          assert.equal(code, 2, `${options}: ${notes}`);
        }
        assert.equal((await cli("cancel", "a/b", ...data)).code, 2);
        assert.equal((await cli("cancel", "all", ...data)).code, 1);
      });

      await worker.stop();
      await master.stop();
    }),
);
