/**
 * One process of a test's fleet: `role.ts master OPTIONS` or `role.ts worker OPTIONS`, the options as JSON.
 *
 * A master says `{"url"}` or `{"refused"}`; a worker says `{"started"}` and `{"ended"}` for each attempt, `{"log"}` for
 * what it tells people, and `{"refused"}` where it cannot begin. Each word is one line of JSON. Both stop on SIGTERM and at the end of their standard
 * input, so that none is left behind when the test's process is killed.
 *
 * @module
 */
import { type MasterStartOptions, startMaster } from "../../../master/start.ts";
import { builtinExecutor } from "../../../worker/executors/builtin.ts";
import type { Executor } from "../../../worker/executors/executor.ts";
import { moduleExecutor } from "../../../worker/executors/module/module.ts";
import { startWorker } from "../../../worker/start.ts";

/** What a master of the fleet is given. */
export type MasterRole = Omit<MasterStartOptions, "assets" | "log"> & { readonly graceMs: number };

/** What a worker of the fleet is given. */
export interface WorkerRole {
  readonly masters: readonly string[];
  readonly token: string;
  readonly dataFolder: string;
  readonly slots: number;
  /** What SIGTERM leaves for running attempts. */
  readonly graceMs: number;
  readonly heapMiB: number;
  /** A file to which each start and each end of an attempt is appended, as a line of JSON. */
  readonly evaluations?: string | undefined;
}

/** A line of that file. */
export interface EvaluationLine {
  readonly event: "started" | "ended";
  readonly task: string;
  readonly attempt: number;
  readonly epoch: string;
  /** How it ended. */
  readonly state?: string;
  readonly atMs: number;
}

if (import.meta.main) {
  const [role, options = "{}"] = Deno.args;
  // Both were written by this folder's `fleet.ts`.
  Deno.exit(role === "master" ? await master(JSON.parse(options)) : await worker(JSON.parse(options)));
}

async function master({ graceMs, ...options }: MasterRole): Promise<number> {
  const log: NonNullable<MasterStartOptions["log"]> = (level, path, text) =>
    say({ log: `${level} ${path}: ${text}` });
  const started = await startMaster({ ...options, assets: [], log });
  if (!started.ok) {
    say({ refused: started.message });
    return 1;
  }
  onStop(() => void started.master.stop(graceMs));
  say({ url: started.master.url });
  return await started.master.ended;
}

async function worker(options: WorkerRole): Promise<number> {
  const { graceMs, heapMiB, evaluations, ...rest } = options;
  const announced = (executor: Executor) => announcing(executor, evaluations);
  const { stopped, stop } = startWorker({
    ...rest,
    executors: [
      announced(builtinExecutor()),
      announced(moduleExecutor({ slots: rest.slots, heapMiB, folder: rest.dataFolder })),
    ],
    log: (level, path, text) => say({ log: `${level} ${path}: ${text}` }),
  });
  onStop(() => stop(graceMs));
  try {
    return await stopped;
  } catch (error) {
    say({ refused: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

/** Says what it starts and how that ended, and writes it down, so that executions can be counted from outside. */
function announcing(executor: Executor, evaluations: string | undefined): Executor {
  const write = (line: EvaluationLine) => {
    if (evaluations === undefined) return;
    try {
      Deno.writeTextFileSync(evaluations, `${JSON.stringify(line)}\n`, { append: true });
    } catch {
      // Its disk is full, which is what is tested.
      say({ unwritten: line });
    }
  };
  return {
    kind: executor.kind,
    start: (attempt, events) => {
      const { task, attempt: number, epoch } = attempt.lease;
      say({ started: task, attempt: number });
      write({ event: "started", task, attempt: number, epoch, atMs: Date.now() });
      return executor.start(attempt, (event) => {
        if (event.type === "ended") {
          const { state } = event.end;
          write({ event: "ended", task, attempt: number, epoch, state, atMs: Date.now() });
          say({ ended: task, attempt: number, state });
        }
        events(event);
      });
    },
    close: () => executor.close(),
  };
}

function onStop(stop: () => void): void {
  Deno.addSignalListener("SIGTERM", stop);
  void (async () => {
    for await (const _ of Deno.stdin.readable);
    stop();
  })();
}

function say(word: unknown): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(word)}\n`);
  // A full pipe takes a part.
  for (let from = 0; from < bytes.length;) from += Deno.stdout.writeSync(bytes.subarray(from));
}
