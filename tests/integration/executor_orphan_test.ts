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
  const fixtures = ["loops", "waits_for_stop", "ignores_stop"];
  const worker = startWorker(fixtures);
  const lines = worker.stdout.pipeThrough(new TextDecoderStream());
  let text = "";
  for await (const chunk of lines.values({ preventCancel: true })) {
    text += chunk;
    if (text.trim().split("\n").length === fixtures.length && text.endsWith("\n")) break;
  }
  const groups = new Set(text.trim().split("\n").map(Number));
  equal(groups.size, fixtures.length);
  worker.kill("SIGKILL");
  await worker.status;
  deepEqual(await untilGone(groups, WITHIN_MS), []);
  await lines.cancel();
});

function startWorker(fixtures: readonly string[]): Deno.ChildProcess {
  const main = new URL("./executor_worker.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", main, ...fixtures];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
}
