/**
 * A fleet at rest and in trouble: what it costs when idle, and how soon a dead or frozen worker's task runs elsewhere.
 *
 * @module
 */
import { bareCloseMs } from "./bare.ts";
import { type Fleet, median, type Member, startFleet } from "./fleet.ts";
import type { Figure } from "./kernel.ts";

const IDLE_WORKERS = 50;
/** After so long the fleet has settled: connections, compilers, collectors. */
const SETTLE_MS = 15_000;
/** Three heartbeats of every worker. */
const WATCH_MS = 30_000;
const KILLS = 50;
/** Processes of which the platform alone is asked. */
const BARE_KILLS = 9;

/** Memory, processor and network of a master with 50 idle workers. */
export async function idleMaster(): Promise<readonly Figure[]> {
  const fleet = await startFleet({ workers: IDLE_WORKERS, slots: 1 });
  try {
    await pause(SETTLE_MS);
    const pid = fleet.master.pid;
    const before = { cpu: cpuSeconds(pid), bytes: loopbackBytes() };
    await pause(WATCH_MS);
    const seconds = WATCH_MS / 1_000;
    const cpu = (cpuSeconds(pid) - before.cpu) / seconds * 100;
    // Loopback carries nothing else meanwhile: the benchmark's own client is silent.
    const bytes = (loopbackBytes() - before.bytes) / seconds / IDLE_WORKERS;
    const bare = await bareRssMb();
    const detail = `${IDLE_WORKERS} idle worker processes, ${seconds} s`;
    return [
      {
        name: "idle_master_rss_mb",
        value: rssMb(pid),
        unit: "MB",
        limit: bare,
        detail: `${detail}; limit: a bare process`,
      },
      { name: "idle_master_cpu_percent", value: tidy(cpu), unit: "%", limit: 0, detail },
      {
        name: "idle_bytes_per_worker_per_second",
        value: tidy(bytes),
        unit: "B/s",
        limit: 0,
        detail: `${detail}; both ways, headers of TCP and IP included`,
      },
    ];
  } finally {
    await fleet.stop();
  }
}

/** From the SIGKILL of a worker process until its task starts on an idle slot of another, many times in one fleet. */
export async function reassignAfterKill(): Promise<readonly Figure[]> {
  const fleet = await startFleet({ workers: 1, slots: 1 });
  try {
    const times: number[] = [];
    let [victim] = fleet.workers;
    for (let i = 0; i < KILLS && victim !== undefined; i++) {
      const task = await runningOn(fleet, victim);
      const other = await fleet.addWorker();
      await warmUp(fleet, other);
      times.push(await untilElsewhere(victim, other, "SIGKILL"));
      await task.cancel();
      victim = other;
    }
    const detail = `${KILLS} kills in one fleet, warm built-in evaluator; in order: ${
      times.map((each) => each.toFixed(1)).join(", ")
    }`;
    return [
      {
        name: "reassign_median_ms",
        value: tidy(median(times)),
        unit: "ms",
        limit: tidy(await bareCloseMs(BARE_KILLS)),
        detail: `${detail}; limit: until the platform tells of a bare killed process's WebSocket, same run`,
      },
      {
        name: "reassign_max_ms",
        value: tidy(Math.max(...times)),
        unit: "ms",
        limit: 0,
        detail: "the slowest",
      },
    ];
  } finally {
    await fleet.stop();
  }
}

/** The same with SIGSTOP, at default settings. */
export async function reassignAfterFreeze(): Promise<Figure> {
  const fleet = await startFleet({ workers: 1, slots: 1 });
  try {
    const victim = fleet.workers[0];
    if (victim === undefined) throw new Error("there is no worker");
    const task = await runningOn(fleet, victim);
    const seconds = await untilElsewhere(victim, await fleet.addWorker(), "SIGSTOP") / 1_000;
    victim.kill("SIGKILL");
    await task.cancel();
    return {
      name: "refreeze_seconds",
      value: tidy(seconds),
      unit: "s",
      limit: 15,
      detail: "one worker frozen; limit: the silence after which a worker's leases are doubtful",
    };
  } finally {
    await fleet.stop();
  }
}

/** Submits a long task and waits until the worker says that it starts it. */
async function runningOn(fleet: Fleet, worker: Member): Promise<{ cancel(): Promise<unknown> }> {
  const started = worker.line();
  const handle = await fleet.client.submit({
    name: "long",
    evaluator: { kind: "builtin", name: "sleep" },
    inputs: [{ ms: 600_000 }],
  });
  await started;
  return handle;
}

/** Lets the one idle worker run a short task: nothing of what follows is done for the first time. */
async function warmUp(fleet: Fleet, idle: Member): Promise<void> {
  const started = idle.line();
  const handle = await fleet.client.submit({
    name: "short",
    evaluator: { kind: "builtin", name: "sleep" },
    inputs: [{ ms: 1 }],
  });
  await started;
  await handle.wait();
}

/** The victim, which runs the task, gets the signal; the other then says that it starts it. @returns milliseconds */
async function untilElsewhere(victim: Member, other: Member, signal: Deno.Signal): Promise<number> {
  const started = other.line();
  const signalledMs = performance.now();
  victim.kill(signal);
  await started;
  return performance.now() - signalledMs;
}

/** Processor time of a process so far, in seconds. */
function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Fields 14 and 15 of proc(5), in clock ticks of 10 ms; the third field is the first here.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function rssMb(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return tidy(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
}

/** Bytes over the loopback interface: each is counted as received once, whichever way it goes. */
function loopbackBytes(): number {
  const line = Deno.readTextFileSync("/proc/net/dev").split("\n").find((each) =>
    each.trim().startsWith("lo:")
  );
  return Number(line?.trim().split(/\s+/)[1]);
}

async function bareRssMb(): Promise<number> {
  const code = "console.log(1); setInterval(() => {}, 1e6)";
  const process = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped" }).spawn();
  const reader = process.stdout.getReader();
  await reader.read();
  const rss = rssMb(process.pid);
  process.kill("SIGKILL");
  await reader.cancel();
  await process.status;
  return rss;
}

function pause(spanMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, spanMs));
}

function tidy(value: number): number {
  return Math.round(value * 100) / 100;
}
