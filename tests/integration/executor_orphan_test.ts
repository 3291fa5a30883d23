/**
 * Evaluators do not outlive their worker.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { untilGone } from "../conformance/executor_processes.ts";

/** Far more than the few milliseconds that it takes. */
const WITHIN_MS = 1_000;
const TIMEOUT_MS = 30_000;

Deno.test("when the worker is killed, its evaluators die within a second, also those in a loop", {
  timeout: TIMEOUT_MS,
}, async () => {
  const folder = await Deno.makeTempDir();
  const fixtures = ["loops", "waits_for_stop", "ignores_stop"];
  // The second life finds what the first left in the folder.
  for (let life = 1; life <= 2; life += 1) {
    const worker = startWorker(folder, fixtures);
    const groups = await evaluatorsOf(worker, fixtures.length);
    equal(groups.size, fixtures.length);
    worker.kill("SIGKILL");
    await worker.status;
    deepEqual(await untilGone(groups, WITHIN_MS), []);
  }
  await Deno.remove(folder, { recursive: true });
});

/** The processes that it says it has started. */
async function evaluatorsOf(worker: Deno.ChildProcess, count: number): Promise<Set<number>> {
  let text = "";
  for await (const chunk of worker.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.trim().split("\n").length === count && text.endsWith("\n")) break;
  }
  return new Set(text.trim().split("\n").map(Number));
}

function startWorker(folder: string, fixtures: readonly string[]): Deno.ChildProcess {
  const main = new URL("./executor_worker.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", main, folder, ...fixtures];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
}
