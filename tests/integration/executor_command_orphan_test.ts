/**
 * Commands do not outlive their worker.
 *
 * @module
 */
import { deepEqual, equal, throws } from "node:assert/strict";
import { Cgroups } from "../../worker/executors/cgroup.ts";
import { commandExecutor } from "../../worker/executors/command.ts";
import { untilGone } from "../conformance/executor_processes.ts";

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

async function firstNumber(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<number> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return Number(text.trim());
}

/** The processes whose attempt's folder lies in a data folder. */
function processesIn(folder: string): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/environ`).includes(`ESPALIER_DIR=${folder}/`);
    } catch {
      // No process, another user's, or one that has just ended.
      return false;
    }
  });
}
