/**
 * One process of a benchmark's fleet: `role.ts master FOLDER PREFETCH` or `role.ts worker FOLDER SLOTS URL TOKEN EXECUTORS`, the last one
 * `all` or `builtin`.
 *
 * A master prints its address as one line of JSON, a worker a line for each `sleep` that it starts; both end at the end of their standard input.
 *
 * @module
 */
import { startMaster } from "../../master/start.ts";
import { HEARTBEAT_DEFAULT_MS, LOST_DEFAULT_MS } from "../../shared/protocol/limits.ts";
import { builtinExecutor } from "../../worker/executors/builtin.ts";
import type { Executor } from "../../worker/executors/executor.ts";
import { startWorker } from "../../worker/start.ts";

const [role, folder = "", ...rest] = Deno.args;
if (role === "master") await master(Number(rest[0]));
else await worker(Number(rest[0]), rest[1] ?? "", rest[2] ?? "", rest[3] ?? "");

async function master(prefetchMax: number): Promise<void> {
  const started = await startMaster({
    dataFolder: folder,
    host: "127.0.0.1",
    port: 0,
    heartbeatMs: HEARTBEAT_DEFAULT_MS,
    lostAfterMs: LOST_DEFAULT_MS,
    prefetchMax,
    acceptLoss: false,
    assets: [],
    log: (level, path, text) => level === "error" ? console.error(path, text) : undefined,
  });
  if (!started.ok) throw new Error(started.message);
  console.log(JSON.stringify({ url: started.master.url }));
  await endOfInput();
  Deno.exit(await started.master.stop(0));
}

async function worker(slots: number, url: string, token: string, executors: string): Promise<void> {
  const started = startWorker({
    masters: [url],
    token,
    dataFolder: folder,
    slots,
    ...(executors === "all" ? {} : { executors: [announced(builtinExecutor())] }),
    log: () => {},
  });
  await endOfInput();
  started.stop(0);
  Deno.exit(await started.stopped);
}

/** Says on standard output when a long attempt starts, so that it can be timed from outside. */
function announced(executor: Executor): Executor {
  const line = new TextEncoder().encode("started\n");
  return {
    kind: executor.kind,
    start: (attempt, events) => {
      if (attempt.evaluator.kind === "builtin" && attempt.evaluator.name === "sleep") {
        Deno.stdout.writeSync(line);
      }
      return executor.start(attempt, events);
    },
    close: () => executor.close(),
  };
}

async function endOfInput(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
}
