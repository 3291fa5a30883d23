/**
 * The end of a run: nothing is held any more, and what is on the disk fits together.
 *
 * @module
 */
import { isOver } from "../../../shared/model/experiment.ts";
import type { DiskGroup, DiskTask } from "../../../master/store/memory_state.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import { decode } from "../../../shared/protocol/codec.ts";
import { taskTemplate } from "../../../shared/protocol/fields.ts";
import type { World } from "../world.ts";
import { checkCurves } from "./curve.ts";
import { checkBudgets } from "./budgets.ts";
import { replaySearches } from "./search_replay.ts";

/** Whether nobody holds anything any more. */
export function isAtRest(world: World): boolean {
  return held(world).length === 0;
}

/** What must hold once all has come to its end. @param isDone whether it has, in time */
export function checkEnding(world: World, isDone: boolean): void {
  const { findings } = world;
  findings.expect("liveness", isDone, () => `not over: ${[...unfinished(world), ...held(world)].join("; ")}`);
  if (!isDone) return;
  const left = held(world);
  findings.expect("all_settled", left.length === 0, () => left.join("; "));
  for (const group of world.disk.state.groups.values()) checkGroup(world, group);
  checkCurves(world);
  world.printing.check();
  checkBudgets(world);
  replaySearches(world);
  for (const node of world.nodes) node.checkSupervision();
}

function unfinished(world: World): readonly string[] {
  const { state } = world.disk;
  const open = [...state.openTasks.values()].map((task) => {
    const live = world.memory.live?.core.tasks.get(task.id);
    return `${task.id} is ${live?.state ?? "unknown to the cluster"}`;
  });
  const experiments = [...state.experiments.values()].filter((each) => !isOver(each.state))
    .map((each) => `${each.id} is ${each.state} ${each.reason}`);
  const requests = world.clients.flatMap((client) => client.unanswered.map((each) => `${each} has no reply`));
  const logs = world.clients.filter((client) => !client.isDone).map((client) => `${client.name} is not done`);
  return [...open.slice(0, 5), ...experiments, ...requests, ...logs];
}

/** Who still holds what. */
function held(world: World): readonly string[] {
  const left: string[] = [];
  const core = world.memory.live?.core;
  if (core === undefined) return ["there is no cluster"];
  if (core.queue.size > 0) left.push(`${core.queue.size} tasks are queued`);
  if (core.tasks.size > 0) left.push(`${core.tasks.size} tasks are open`);
  if (core.log.waiting > 0) left.push(`${core.log.waiting} changes wait`);
  for (const source of core.sources.values()) {
    if (source.committing !== 0) {
      left.push(`${source.group.id} counts ${source.committing} trials as being committed`);
    }
  }
  for (const worker of core.workers.values()) {
    const { cpus, gpus } = worker.drawn;
    if (worker.attempts.size > 0 || Math.abs(cpus) > 1e-9 || Math.abs(gpus) > 1e-9) {
      left.push(
        `${worker.id} holds ${
          [...worker.attempts].map((each) => leaseKey(each.lease)).join(", ")
        } and ${cpus} cpus and ${gpus} gpus`,
      );
    }
  }
  for (const { name, journal } of world.workers) {
    if (journal.results.size > 0) left.push(`${name} has ${journal.results.size} results in its journal`);
  }
  if (world.executions.running > 0) left.push(`${world.executions.running} evaluators run`);
  return left;
}

function checkGroup(world: World, group: DiskGroup): void {
  const { limit, crashLimit } = taskTemplate.parse(decode(group.template)).retry;
  for (const task of group.tasks.values()) {
    const failures = (cause: string) => [...task.ended.values()].filter((each) => each === cause).length;
    for (const cause of ["evaluator", "deadline", "worker_lost", "crash"]) {
      const most = (cause === "crash" ? crashLimit : limit) + 1;
      // Two leases may be out at once when the last retry is used up: the other one may fail too.
      world.findings.expect(
        "retries_bounded",
        failures(cause) <= most + 1,
        () => `${task.id} failed ${failures(cause)} times by ${cause}, ${most} are allowed`,
      );
    }
    checkFailed(world, task, limit, crashLimit);
  }
}

function checkFailed(world: World, task: DiskTask, limit: number, crashLimit: number): void {
  const outcome = task.outcome?.outcome;
  if (outcome?.state !== "failed") return;
  const rows = [...task.ended.values()].filter((each) => each === outcome.cause).length;
  const most = outcome.cause === "crash" ? crashLimit : limit;
  const wasFinal = outcome.cause === "evaluator" && world.executions.finalFailures.has(task.id);
  world.findings.expect(
    "retries_bounded",
    rows > most || wasFinal,
    () => `${task.id} was given up after ${rows} failures by ${outcome.cause}, ${most} retries are allowed`,
  );
  const lease = task.outcome?.lease;
  // What failed before the store was renewed is of another store now.
  const cause = lease === undefined ? undefined : task.ended.get(leaseKey(lease));
  // One that was counted as lost, and came back to fail, stays one failure.
  const isNamed = lease === undefined
    ? world.disk.state.formerEpochs.length > 0
    : cause === outcome.cause || cause === "worker_lost";
  world.findings.expect(
    "retries_bounded",
    isNamed,
    () => `${task.id} was given up for no attempt that failed`,
  );
}
