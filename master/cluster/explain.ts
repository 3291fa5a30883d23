/**
 * Why a task does not run: a question that whoever waits for it may ask.
 *
 * @module
 */
import type { Needs } from "../scheduling/queue.ts";
import { type ClusterCore, commandError, type Source } from "./core.ts";
import type { LiveTask } from "./live_task.ts";
import type { ClusterMessage } from "./messages.ts";

/** Answers `explain`. */
export function explain(core: ClusterCore, message: Extract<ClusterMessage, { type: "explain" }>): void {
  const { from, token } = message;
  const task = core.tasks.get(message.task);
  if (task !== undefined) {
    const value = { task: task.id, state: task.state, explanation: sentence(core, task) };
    return core.context.send(from, {
      type: "command_answered",
      token,
      reply: { ok: true, value, commit: core.commit },
    });
  }
  core.askOutcome(message.task, (answer) => {
    const reply = answer?.known === true
      ? {
        ok: true as const,
        value: {
          task: message.task,
          state: answer.state,
          explanation: `it has its outcome: ${answer.state}`,
        },
        commit: core.commit,
      }
      : { ok: false as const, error: commandError("unknown_task", `there is no task ${message.task}`) };
    core.context.send(from, { type: "command_answered", token, reply });
  });
}

function sentence(core: ClusterCore, task: LiveTask): string {
  switch (task.state) {
    case "queued":
      return explainWaiting(core, task);
    case "delayed":
      return "an attempt failed; it is tried again after a pause";
    case "withheld":
      return "the master was restarted; its worker has a while to come back with it";
    case "settling":
      return "its outcome is being written";
    case "out":
      return `runs on ${
        task.attempts.map((attempt) => attempt.worker.id + (attempt.doubtful ? " (silent)" : "")).join(", ")
      }`;
  }
}

/** Why a task waits, in a sentence. */
function explainWaiting(core: ClusterCore, task: LiveTask): string {
  if (core.lost !== undefined) return core.lost;
  return whyUnplaceable(core, task.group.needs) ??
    `waits for a free slot: ${core.queue.size} tasks are queued`;
}

/** Tells experiments for which nothing is offered why that is so, where it can be said. */
export function tellWaiting(core: ClusterCore): void {
  for (const source of core.sources.values()) {
    const reason = source.group.open.size > 0 || source.offered > 0 ? "" : whyNotOffered(core, source);
    if (reason === source.toldReason) continue;
    source.toldReason = reason;
    core.context.send(source.ref, { type: "waiting", reason });
  }
}

function whyNotOffered(core: ClusterCore, source: Source): string {
  if (core.lost !== undefined) return core.lost;
  const connected = core.connectedWorkers;
  if (!source.started && connected < source.minWorkers) {
    return `waits for ${source.minWorkers} workers; ${connected} connected`;
  }
  return whyUnplaceable(core, source.group.needs) ?? "";
}

/** Why no worker that is there could ever take a task of these needs now; undefined where one could. */
function whyUnplaceable(core: ClusterCore, needs: Needs): string | undefined {
  const workers = [...core.workers.values()].filter((worker) => worker.session !== undefined);
  if (workers.length === 0) return "no worker is connected; start one with: espalier worker --master URL";
  const kind = needs.evaluatorKind;
  const able = workers.filter((worker) => worker.executors.has(kind));
  if (able.length === 0) return `none of ${workers.length} workers runs evaluators of kind ${kind}`;
  const { cpus, memoryBytes, gpus } = needs.resources;
  const large = able.filter((worker) =>
    cpus <= worker.pool.cpus && memoryBytes <= worker.pool.memoryBytes && gpus <= worker.pool.gpus
  );
  if (large.length === 0) {
    return `needs ${cpus} cpus, ${memoryBytes} bytes of memory and ${gpus} gpus; no worker has as much`;
  }
  const nowMs = core.context.now();
  const available = large.filter((worker) => worker.isAvailable(nowMs));
  if (available.length === 0) {
    return `the ${large.length} workers that fit are silent, leaving or on probation`;
  }
  return undefined;
}
