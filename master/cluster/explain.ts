/**
 * Why a task does not run: a question that whoever waits for it may ask.
 *
 * Promise: every open task has a sentence that says what it waits for and, where that is known, for how long.
 * Not here: why no worker fits (shortfall.ts).
 *
 * @module
 */
import { formatDuration } from "../../shared/protocol/duration.ts";
import { type TaskId, taskParts } from "../../shared/model/ids.ts";
import { hasRoom } from "../scheduling/placement.ts";
import { type ClusterCore, commandError, type Source } from "./core.ts";
import type { LiveAttempt, LiveTask } from "./live_task.ts";
import type { ClusterMessage, CommandReply } from "./messages.ts";
import { isAtLimit } from "./offers.ts";
import { Seat } from "./seat.ts";
import { gpuWords } from "./requirements.ts";
import { outOfService, shortfall } from "./shortfall.ts";
import { storeTrouble } from "./store_trouble.ts";

/** When whoever asks before the store was read should come back. */
const COME_BACK_MS = 1_000;

/** Answers `explain`. */
export function explain(core: ClusterCore, message: Extract<ClusterMessage, { type: "explain" }>): void {
  const { from, token, task: id } = message;
  const answer = (reply: CommandReply) => core.context.send(from, { type: "command_answered", token, reply });
  const found = (state: string, explanation: string) =>
    answer({ ok: true, value: { task: id, state, explanation }, commit: core.commit });
  if (core.epoch === undefined) {
    const error = commandError("restarting", "the master is reading its store", "", COME_BACK_MS);
    return answer({ ok: false, error });
  }
  const task = core.tasks.get(id);
  if (task !== undefined) return found(task.state, sentence(core, task));
  core.askOutcome(id, (outcome) => {
    if (outcome?.known === true) return found(String(outcome.state), `it has its outcome: ${outcome.state}`);
    const source = core.sources.get(taskParts(id).group);
    if (source !== undefined) return found("not proposed", notProposed(core, source));
    answer({ ok: false, error: unknownTask(id) });
  });
}

function unknownTask(id: TaskId) {
  return commandError("unknown_task", `there is no task ${id}`, "a task's id is GROUP/NUMBER");
}

function sentence(core: ClusterCore, task: LiveTask): string {
  switch (task.state) {
    case "queued":
      return waiting(core, task);
    case "delayed":
      return delayed(core, task);
    case "withheld":
      return withheld(core, task);
    case "settling":
      return `its outcome is being written${andTrouble(core)}`;
    case "out":
      return task.attempts.length === 0
        ? `the end of its last attempt is being written, before it is tried again${andTrouble(core)}`
        : task.attempts.map((attempt) => atWork(core, attempt)).join("; ");
  }
}

function andTrouble(core: ClusterCore): string {
  const trouble = storeTrouble(core);
  return trouble === "" ? "" : `; ${trouble}`;
}

function atWork(core: ClusterCore, attempt: LiveAttempt): string {
  const { worker, cancelling } = attempt;
  if (attempt.doubtful) {
    return `${worker.id} may still run it: ${silence(core, attempt)}`;
  }
  if (cancelling !== undefined) return `${worker.id} was told to end it (${cancelling})`;
  const place = [...worker.attempts].indexOf(attempt) - worker.slots;
  if (place >= 0) return `waits on ${worker.id} for a slot there, behind ${place} others`;
  return `runs on ${worker.id} since ${formatDuration(core.context.now() - attempt.startedAtMs)}`;
}

function silence(core: ClusterCore, { worker }: LiveAttempt): string {
  const silentMs = core.context.attentiveNow() - worker.heardAtMs;
  const leftMs = Math.max(0, core.options.lostAfterMs - silentMs);
  return `it ${worker.session === undefined ? "is gone" : "has been silent"} since ${
    formatDuration(silentMs)
  }, and is called lost in ${formatDuration(leftMs)}`;
}

function delayed(core: ClusterCore, task: LiveTask): string {
  const inText = formatDuration(Math.max(0, (task.delay?.timer.dueMs ?? 0) - core.context.now()));
  const [attempt] = task.attempts;
  if (task.delay?.waitsFor === "worker" && attempt !== undefined) {
    return `${atWork(core, attempt)}; it is given to another worker in ${inText} (reassignAfter)`;
  }
  const failures = Object.entries(task.failures).filter(([, count]) => count > 0)
    .map(([cause, count]) => `${count} by ${cause}`);
  return `an attempt failed (${failures.join(", ")}); it is tried again in ${inText}`;
}

function withheld(core: ClusterCore, task: LiveTask): string {
  const [attempt] = task.attempts;
  const who = attempt === undefined ? "" : `: ${attempt.worker.id} ran it and`;
  const leftMs = attempt === undefined
    ? 0
    : core.options.lostAfterMs - (core.context.attentiveNow() - attempt.worker.heardAtMs);
  return `the master was restarted${who} has ${formatDuration(Math.max(0, leftMs))} to come back with it`;
}

/** Why a task waits, in a sentence. */
function waiting(core: ClusterCore, task: LiveTask): string {
  const { needs } = task.group;
  const nothing = nothingGivenOut(core) ?? shortfall(core, needs);
  const doubtful = task.attempts.map((attempt) => `; ${atWork(core, attempt)}`).join("");
  if (nothing !== undefined) return nothing + doubtful;
  const kept = core.reservations.workerFor(needs);
  if (kept !== undefined) {
    return `${kept} is kept for it and what needs as much, until there is room for it there${doubtful}`;
  }
  const above = core.queue.sizeAbove(needs.priority);
  const first = above === 0 ? "" : `, ${above} of them of a higher priority`;
  const out = outOfService(core.workers.values(), needs);
  return `waits for ${room(core, task)}: ${
    core.queue.size === 1 ? "one task is" : `${core.queue.size} tasks are`
  } queued${first}${doubtful}${out}`;
}

/** What there is too little of just now: slots, or resources beside a free slot. */
function room(core: ClusterCore, { group: { needs } }: LiveTask): string {
  const nowMs = core.context.now();
  const seats = [...core.workers.values()].filter((each) => each.isAvailable(nowMs)).map((each) =>
    new Seat(each, nowMs)
  );
  const hasSlot = seats.some((seat) => seat.idle > 0 && seat.executors.has(needs.evaluatorKind));
  if (!hasSlot) return "a free slot";
  if (seats.some((seat) => hasRoom(seat, { needs, prefetch: () => 0 }))) return "its turn";
  // Its CPUs and memory may be what others hold, but GPUs are what people wait for.
  return needs.resources.gpus > 0
    ? `${gpuWords(needs.resources)} that others hold`
    : "resources that others hold";
}

function nothingGivenOut(core: ClusterCore): string | undefined {
  if (core.lost !== undefined) return core.lost;
  if (!core.log.isBehind) return undefined;
  return `the store is behind: ${core.log.waiting} changes wait to be written, and nothing is given out until then${
    andTrouble(core)
  }`;
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
  const connected = core.connectedWorkers;
  if (core.lost === undefined && !source.started && connected < source.minWorkers) {
    return `waits for ${source.minWorkers} workers; ${connected} connected`;
  }
  return nothingGivenOut(core) ?? shortfall(core, source.group.needs) ?? "";
}

function notProposed(core: ClusterCore, source: Source): string {
  const open = source.group.open.size;
  const why = whyNotOffered(core, source);
  if (why !== "") return `its experiment has not proposed it: ${why}`;
  if (!source.wants) {
    return `its experiment, with ${open} trials open, asks for no slot: it is paused, at its budget, or waits for outcomes`;
  }
  if (isAtLimit(source)) {
    return `its experiment has not proposed it: ${open} trials are open, its maxConcurrent`;
  }
  return `its experiment has not proposed it: ${open} trials are open, and it waits for its turn at a free slot`;
}
