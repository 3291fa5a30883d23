/**
 * `submit` and `wait`: commands as plain tasks.
 *
 * @module
 */
import assert from "node:assert/strict";
import { cli, cliJson, CliProcess, inFolder } from "./cli_process.ts";

const LIMIT = { timeout: 120_000 };

Deno.test("a command is submitted as tasks and waited for", LIMIT, (t) =>
  inFolder(async (folder) => {
    const data = ["--data", `${folder}/data`];
    const master = new CliProcess(["master", ...data, "--port", "0"]);
    await master.line(/^master +http:\/\/127\.0\.0\.1:\d+$/m);
    const worker = new CliProcess(["worker", ...data, "--slots", "2"]);
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
      return out.trim().split("\n");
    };

    await t.step("each task of an array finds its index, and arguments are passed as they are", async () => {
      const script = 'printf "%s|" "$@" > "out-$ESPALIER_ARRAY_INDEX"';
      const groups = await submit(
        "--array",
        "3-6",
        "--cpus",
        "1",
        "--",
        "sh",
        "-c",
        script,
        "x",
        "{a}",
        "--b=$HOME *",
      );
      assert.equal(groups.length, 1);
      assert.match(groups.join(), /^sh\./);
      const counts = await cliJson("wait", ...groups, ...data);
      assert.deepEqual(counts, { groups, submitted: 4, completed: 4, failed: 0, cancelled: 0 });
      for (const index of [3, 4, 5, 6]) {
        assert.equal(await Deno.readTextFile(`${folder}/out-${index}`), "{a}|--b=$HOME *|");
      }
    });

    await t.step("a task that failed makes the wait a failure, also when it is over", async () => {
      const groups = await submit(
        "--name",
        "some",
        "--array",
        "1-3",
        "--",
        "sh",
        "-c",
        "exit $((ESPALIER_ARRAY_INDEX == 2 ? 78 : 0))",
      );
      assert.match(groups.join(), /^some\./);
      for (let time = 1; time <= 2; time += 1) {
        const { code, out, notes } = await cli("wait", ...groups, ...data);
        assert.equal(code, 1);
        assert.match(out, /: 2 completed, 1 failed, 0 cancelled/);
        assert.match(notes, /1 of 3 tasks failed/);
      }
    });

    await t.step("a wait that begins before the end hears of it", async () => {
      const groups = await submit("--", "sh", "-c", "while [ ! -e go ]; do sleep 0.02; done");
      const others = await submit(
        "--env",
        "X=1",
        "--",
        "sh",
        "-c",
        'test "$X" = 1 && test -z "$ESPALIER_ARRAY_INDEX"',
      );
      const wait = new CliProcess(["wait", ...groups, ...others, ...data, "--output", "json"]);
      assert.equal((await cli("wait", ...others, ...data)).code, 0);
      await Deno.writeTextFile(`${folder}/go`, "");
      const { code, out, notes } = await wait.finished();
      assert.equal(code, 0, notes);
      assert.equal(JSON.parse(out).completed, 2);
    });

    await t.step("what is no group is a failure that says so, what is no range wrong usage", async () => {
      const unknown = await cli("wait", "nothing.here", ...data);
      assert.equal(unknown.code, 1);
      assert.match(unknown.notes, /nothing\.here/);
      for (const array of ["5", "3-1", "a-b", "1-9999999"]) {
        const { code, notes } = await cli("submit", ...data, "--array", array, "--", "true");
        assert.equal(code, 2);
        assert.match(notes, /Expected the first and the last index/);
      }
      assert.equal((await cli("submit", ...data)).code, 2);
    });

    await worker.stop();
    await master.stop();
  }));

Deno.test(
  "a worker that runs no commands is given none, and that is said",
  LIMIT,
  () =>
    inFolder(async (folder) => {
      const data = ["--data", `${folder}/data`];
      const master = new CliProcess(["master", ...data, "--port", "0"]);
      await master.line(/^master +http:\/\/127\.0\.0\.1:\d+$/m);
      const worker = new CliProcess(["worker", ...data, "--no-commands"]);
      await worker.line(/connected to the master at ws:/);
      const { out } = await cli("submit", ...data, "--output", "quiet", "--", "true");
      const { out: told } = await cli("explain", `${out.trim()}/1`, ...data);
      assert.match(told, /runs no command evaluators/);
      const other = new CliProcess([
        "worker",
        "--data",
        `${folder}/other`,
        "--master",
        await masterOf(folder),
        "--token-file",
        `${folder}/data/tokens.json`,
      ]);
      assert.equal((await cli("wait", out.trim(), ...data)).code, 0);
      await Promise.all([worker.stop(), other.stop()]);
      await master.stop();
    }),
);

/** The address that the master of the folder listens at. */
async function masterOf(folder: string): Promise<string> {
  const { url } = JSON.parse(await Deno.readTextFile(`${folder}/data/master.json`));
  return url;
}
