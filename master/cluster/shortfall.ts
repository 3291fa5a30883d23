/**
 * Why no worker can take a task: the requirement that is not met, and by whom.
 *
 * Promise: a sentence of bounded length however many workers there are; those that come nearest are named first.
 *
 * @module
 */
import { formatDuration } from "../../shared/protocol/duration.ts";
import type { Needs } from "../scheduling/queue.ts";
import type { ClusterCore } from "./core.ts";
import { type Requirement, requirementsOf } from "./requirements.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Workers that are named in one sentence; of more, only the number is told. So too requirements. */
const NAMED_MAX = 5;

/** Why no worker that is there could take a task of these needs now; undefined where one could, once it has a slot. */
export function shortfall(core: ClusterCore, needs: Needs): string | undefined {
  const workers = [...core.workers.values()].filter((worker) => worker.session !== undefined);
  if (workers.length === 0) return noWorker(core);
  const nowMs = core.context.now();
  const requirements = requirementsOf(needs, nowMs);
  const fitting = workers.filter((worker) =>
    runs(worker, needs) && requirements.every((each) => each.isMet(worker))
  );
  if (fitting.length === 0) return noneFits(workers, needs, requirements) + outOfService(workers, needs);
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

/** Such as `needs 4 gpus; w1 has 0, w2 has 2; w3 runs no python evaluators; 5 more workers have too little`. */
function noneFits(
  workers: readonly WorkerRecord[],
  needs: Needs,
  requirements: readonly Requirement[],
): string {
  const able = workers.filter((worker) => runs(worker, needs));
  const unable = workers.filter((worker) => !runs(worker, needs));
  // One requirement at a time: the first that all those who run such evaluators lack, or else each by what it lacks.
  const lacking = requirements.filter((each) => able.some((worker) => !each.isMet(worker)));
  const common = lacking.find((each) => able.every((worker) => !each.isMet(worker)));
  const named = common === undefined ? lacking.slice(0, NAMED_MAX) : [common];
  const parts: string[] = [];
  const namedAble = able.slice(0, NAMED_MAX);
  if (able.length > 0) {
    parts.push(`needs ${named.map(({ words }) => words).join(", ")}`);
    parts.push(namedAble.map((worker) => hasOnly(worker, named)).join(", "));
  } else parts.push(`needs a worker that runs ${needs.evaluatorKind} evaluators`);
  const namedUnable = unable.slice(0, NAMED_MAX - namedAble.length);
  for (const { id } of namedUnable) parts.push(`${id} runs no ${needs.evaluatorKind} evaluators`);
  const fewer = able.length - namedAble.length;
  if (fewer > 0) parts.push(`${more(fewer)} ${fewer === 1 ? "has" : "have"} too little`);
  const none = unable.length - namedUnable.length;
  if (none > 0) {
    parts.push(`${more(none)} ${none === 1 ? "runs" : "run"} no ${needs.evaluatorKind} evaluators`);
  }
  return parts.join("; ");
}

/** With one requirement the bare amount; with several, each that it lacks. */
function hasOnly(worker: WorkerRecord, requirements: readonly Requirement[]): string {
  const lacks = requirements.filter((each) => !each.isMet(worker));
  const has = lacks.map((each) => requirements.length === 1 ? each.hasAlone(worker) : each.has(worker));
  // What it lacks may be none of those that are named.
  return has.length === 0 ? `${worker.id} lacks others` : `${worker.id} has ${has.join(" and ")}`;
}

/** Which GPUs are out of service, where a task needs one; begins with a semicolon, and is empty where none is. */
export function outOfService(workers: Iterable<WorkerRecord>, { resources }: Needs): string {
  if (resources.gpus === 0) return "";
  const words: string[] = [];
  let others = 0;
  for (const { id: worker, session, devices } of workers) {
    if (session === undefined) continue;
    for (const { id, reason } of devices.out) {
      if (words.length < NAMED_MAX) words.push(`; ${id} of ${worker} is out of service: ${reason}`);
      else others += 1;
    }
  }
  return `${words.join("")}${others === 0 ? "" : `; so are ${others} more`}`;
}

function more(workers: number): string {
  return `${workers} more ${workers === 1 ? "worker" : "workers"}`;
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
