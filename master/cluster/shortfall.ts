/**
 * Why no worker can take a task: the requirement that is not met, and by whom.
 *
 * Promise: a sentence of bounded length however many workers there are; those that come nearest are named first.
 *
 * @module
 */
import { formatDuration } from "../../shared/protocol/duration.ts";
import { fits } from "../../shared/model/resources.ts";
import type { Needs } from "../scheduling/queue.ts";
import type { ClusterCore } from "./core.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Workers that are named in one sentence; of more, only the number is told. */
const NAMED_MAX = 5;

type Amount = "gpus" | "memoryBytes" | "cpus";
const AMOUNTS: readonly Amount[] = ["gpus", "memoryBytes", "cpus"];

/** Why no worker that is there could take a task of these needs now; undefined where one could, once it has a slot. */
export function shortfall(core: ClusterCore, needs: Needs): string | undefined {
  const workers = [...core.workers.values()].filter((worker) => worker.session !== undefined);
  if (workers.length === 0) return noWorker(core);
  const fitting = workers.filter((worker) => runs(worker, needs) && fits(needs.resources, worker.pool));
  if (fitting.length === 0) return noneFits(workers, needs);
  const nowMs = core.context.now();
  if (fitting.some((worker) => worker.isAvailable(nowMs))) return undefined;
  const named = fitting.slice(0, NAMED_MAX).map((worker) => `${worker.id} ${whyUnavailable(core, worker)}`);
  const others = fitting.length - named.length;
  return `none that fits can be given anything now: ${named.join(", ")}${
    others > 0 ? `; neither can ${more(others)}` : ""
  }`;
}

function noWorker(core: ClusterCore): string {
  const gone = core.workers.size;
  const before = gone === 0 ? "" : ` (${gone} ${gone === 1 ? "was" : "were"} here before)`;
  return `no worker is connected${before}; start one with: espalier worker --master URL`;
}

function runs(worker: WorkerRecord, needs: Needs): boolean {
  return worker.executors.has(needs.evaluatorKind);
}

/** Such as `needs 4 gpus; w1 has 0, w2 has 2; w3 runs no python evaluators; 5 more workers have fewer`. */
function noneFits(workers: readonly WorkerRecord[], needs: Needs): string {
  const able = workers.filter((worker) => runs(worker, needs));
  const unable = workers.filter((worker) => !runs(worker, needs));
  // One requirement at a time: the first that all those who run such evaluators lack, or else each by what it lacks.
  const lacking = AMOUNTS.filter((amount) => able.some((worker) => isShort(worker, needs, amount)));
  const common = lacking.find((amount) => able.every((worker) => isShort(worker, needs, amount)));
  const amounts = common === undefined ? lacking : [common];
  const parts: string[] = [];
  const namedAble = able.slice(0, NAMED_MAX);
  if (able.length > 0) {
    parts.push(`needs ${amounts.map((amount) => formatAmount(amount, needs.resources[amount])).join(", ")}`);
    parts.push(namedAble.map((worker) => hasOnly(worker, needs, amounts)).join(", "));
  } else parts.push(`needs a worker that runs ${needs.evaluatorKind} evaluators`);
  const namedUnable = unable.slice(0, NAMED_MAX - namedAble.length);
  for (const { id } of namedUnable) parts.push(`${id} runs no ${needs.evaluatorKind} evaluators`);
  const fewer = able.length - namedAble.length;
  if (fewer > 0) parts.push(`${more(fewer)} ${fewer === 1 ? "has" : "have"} fewer`);
  const none = unable.length - namedUnable.length;
  if (none > 0) {
    parts.push(`${more(none)} ${none === 1 ? "runs" : "run"} no ${needs.evaluatorKind} evaluators`);
  }
  return parts.join("; ");
}

function more(workers: number): string {
  return `${workers} more ${workers === 1 ? "worker" : "workers"}`;
}

function isShort(worker: WorkerRecord, { resources }: Needs, amount: Amount): boolean {
  return resources[amount] > worker.pool[amount] + 1e-9;
}

/** With one requirement the bare number; with several, each that it lacks. */
function hasOnly(worker: WorkerRecord, needs: Needs, amounts: readonly Amount[]): string {
  const lacks = amounts.filter((amount) => isShort(worker, needs, amount));
  const has = lacks.map((amount) =>
    amounts.length === 1 && amount !== "memoryBytes"
      ? String(worker.pool[amount])
      : formatAmount(amount, worker.pool[amount])
  );
  return `${worker.id} has ${has.join(" and ")}`;
}

/** Such as `4 gpus`, `1 cpu`, `16 GiB of memory`. */
function formatAmount(amount: Amount, value: number): string {
  switch (amount) {
    case "cpus":
      return `${value} ${value === 1 ? "cpu" : "cpus"}`;
    case "gpus":
      return `${value} ${value === 1 ? "gpu" : "gpus"}`;
    case "memoryBytes":
      return `${formatBytes(value)} of memory`;
  }
}

function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1_024 && unit < units.length - 1; unit++) value /= 1_024;
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}

function whyUnavailable(core: ClusterCore, worker: WorkerRecord): string {
  if (worker.leaving) return "is leaving";
  if (worker.doubtful) {
    return `has been silent for ${formatDuration(core.context.attentiveNow() - worker.heardAtMs)}`;
  }
  const { probation } = worker;
  if (probation === undefined) return "is not there";
  const leftMs = probation.untilMs - core.context.now();
  const when = leftMs > 0 ? `for ${formatDuration(Math.max(1_000, leftMs))} more` : "and has its one attempt";
  return `is on probation ${when} (it ${probation.reason})`;
}
