/**
 * Commands do not outlive their worker.
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Cgroups } from "../../worker/executors/processes/cgroup.ts";
import { commandExecutor } from "../../worker/executors/command/command.ts";
import { firstNumber, processesIn, untilGone } from "../conformance/executor_processes.ts";

const IS_LINUX = Deno.build.os === "linux";
const groups = Cgroups.open(crypto.randomUUID());
groups?.close();

Deno.test(
  "when the worker is killed, a program that was asked to end and did not dies with it; what left its group, at the next start",
  { timeout: 60_000 },
  () =>
    withKilledWorker("", async (folder) => {
      const [stray] = processesIn(folder);
      equal(processesIn(folder).length, 1);
      // The next life of the worker.
      const executor = commandExecutor({ folder });
      await executor.close();
      deepEqual(processesIn(folder), [], `${stray} is alive`);
    }),
);

Deno.test({
  name: groups === undefined
    ? "when the worker is killed, what left the group dies with it (passed over: no control groups can be made here)"
    : "when the worker is killed, what left the group dies with it, by its control group",
  ignore: groups === undefined,
  timeout: 60_000,
  fn: () =>
    withKilledWorker("cgroups", async (folder) => {
      const pids = new Set(processesIn(folder));
      const until = performance.now() + 5_000;
      while (processesIn(folder).length > 0 && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      deepEqual(processesIn(folder), [], `of ${[...pids]}`);
      const place = Deno.readTextFileSync(`${folder}/commands/run/cgroups`);
      await commandExecutor({ folder }).close();
      deepEqual([...Deno.readDirSync(`${folder}/commands`)], []);
      throws(() => Deno.statSync(place), Deno.errors.NotFound);
    }),
});

Deno.test({
  name: `the control groups of a killed worker go at the start of any other, and those of a living one stay${
    groups === undefined ? " (passed over: none can be made here)" : ""
  }`,
  ignore: groups === undefined,
  timeout: 60_000,
  fn: () =>
    withKilledWorker("cgroups", async (folder) => {
      const killed = Deno.readTextFileSync(`${folder}/commands/run/cgroups`);
      const living = Cgroups.open(crypto.randomUUID());
      living?.make("one", undefined);
      const other = await Deno.makeTempDir();
      await commandExecutor({ folder: other }).close();
      throws(() => Deno.statSync(killed), Deno.errors.NotFound);
      const one = `${living?.folder}/one`;
      ok(Deno.statSync(one).isDirectory);
      Deno.removeSync(one);
      living?.close();
      await Deno.remove(other, { recursive: true });
    }),
});

Deno.test({
  name:
    `a worker ends what an earlier life of its own left, and nothing of another that calls its folder by the same name${
      IS_LINUX ? "" : " (passed over: this system shows no environments of processes)"
    }`,
  ignore: !IS_LINUX,
  timeout: 60_000,
  fn: () =>
    withKilledWorker("", async (folder) => {
      // As in two containers that see each other's processes.
      const mark = `${folder}/commands/run/${crypto.randomUUID()}-1 test/1 1 epoch`;
      const other = new Deno.Command("sleep", { args: ["600"], env: { ESPALIER_LEASE: mark }, stdin: "null" })
        .spawn();
      equal(processesIn(folder).length, 1);
      await commandExecutor({ folder }).close();
      deepEqual(processesIn(folder), []);
      other.kill("SIGTERM");
      equal((await other.status).signal, "SIGTERM");
    }),
});

async function withKilledWorker(cgroups: string, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const main = new URL("./executor_command_worker.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", main, folder, cgroups];
  const worker = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
  const group = await firstNumber(worker.stdout);
  worker.kill("SIGKILL");
  await worker.status;
  deepEqual(await untilGone(new Set([group])), []);
  await body(folder);
  await Deno.remove(folder, { recursive: true });
}
