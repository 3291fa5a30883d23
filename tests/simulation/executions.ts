/**
 * Executions: every evaluator that was started anywhere, and what ran beside it.
 *
 * Watches: two executions never share a lease; a worker runs no more than its slots and its pool hold.
 *
 * @module
 */
import type { ArtifactRef } from "../../shared/model/artifact.ts";
import { NO_RESOURCES } from "../../shared/model/resources.ts";
import type { TaskTemplate } from "../../shared/model/task.ts";
import { leaseKey } from "../../shared/model/task.ts";
import type { AttemptEnd, Metrics } from "../../shared/model/outcome.ts";
import { metricsProblem } from "../../worker/attempt_end.ts";
import type { Attempt } from "../../worker/executors/executor.ts";
import { checkDevices, type DeviceUser } from "./checkers/device_use.ts";
import type { Findings } from "./findings.ts";
import type { WorkerPlan } from "./plan.ts";
import type { SimulatedProcess } from "./process.ts";
import type { StoreLives } from "./store_lives.ts";

/** One run of an evaluator. */
export interface Execution extends DeviceUser {
  readonly key: string;
  readonly task: string;
  readonly process: SimulatedProcess;
  readonly slot: number;
  readonly cpus: number;
  /** How it ended, where it did. */
  end: AttemptEnd["state"] | "stopped" | "killed" | undefined;
  /** What it measured on its way, as far as a worker can pass it on. */
  readonly reported: Reported[];
}

/** What an evaluator reported. */
export interface Reported {
  readonly step: number;
  readonly metrics: Metrics;
  /** It tells of a checkpoint, and measures nothing. */
  readonly checkpoint?: ArtifactRef | undefined;
}

/** All executions of a run. */
export class Executions {
  readonly #findings: Findings;
  readonly #templateOf: (task: string) => TaskTemplate | undefined;
  readonly #lives: StoreLives;
  readonly byLease = new Map<string, Execution>();
  /** The GPUs that each lease was given. */
  readonly assigned = new Map<string, readonly string[]>();
  /** Tasks whose evaluator said that another try would fail too. */
  readonly finalFailures = new Set<string>();
  readonly #byTask = new Map<string, number>();
  readonly #running = new Set<Execution>();

  constructor(
    findings: Findings,
    templateOf: (task: string) => TaskTemplate | undefined,
    lives: StoreLives,
  ) {
    this.#findings = findings;
    this.#templateOf = templateOf;
    this.#lives = lives;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Those that run now. */
  get live(): ReadonlySet<Execution> {
    return this.#running;
  }

  /** How often a task was begun. */
  countOf(task: string): number {
    return this.#byTask.get(task) ?? 0;
  }

  started(process: SimulatedProcess, shape: WorkerPlan, attempt: Attempt): Execution {
    const key = leaseKey(attempt.lease);
    const { task } = attempt.lease;
    // What a lost store had granted may be begun, but nobody can look up what it needs.
    const isPresent = this.#lives.isPresent(attempt.lease.epoch);
    const template = isPresent ? this.#templateOf(task) : undefined;
    const execution: Execution = {
      key,
      task,
      process,
      slot: attempt.slot,
      cpus: template?.resources.cpus ?? 0,
      devices: attempt.devices?.map(({ id }) => id) ?? [],
      need: template?.resources ?? attempt.resources ?? NO_RESOURCES,
      end: undefined,
      reported: [],
    };
    this.#findings.expect("lease_once", !this.byLease.has(key), () => `${key} was executed twice`);
    this.#findings.expect(
      "submissions_kept",
      template !== undefined || !isPresent,
      () => `${key} is executed and its group is not durable`,
    );
    this.byLease.set(key, execution);
    this.#byTask.set(task, this.countOf(task) + 1);
    this.#running.add(execution);
    this.#checkRoom(process, shape, execution);
    checkDevices(this.#findings, execution, this.#running, this.assigned.get(key));
    return execution;
  }

  /** An evaluator has reported. */
  reported(execution: Execution, { step, metrics, checkpoint }: Reported): void {
    const isFit = Number.isSafeInteger(step) && step >= 0 && metricsProblem(metrics) === undefined;
    if (isFit && execution.end === undefined) execution.reported.push({ step, metrics, checkpoint });
  }

  ended(execution: Execution, end: NonNullable<Execution["end"]>): void {
    execution.end ??= end;
    this.#running.delete(execution);
  }

  /** A process has ended, and every evaluator with it. */
  killed(process: SimulatedProcess): void {
    for (const each of this.#running) if (each.process === process) this.ended(each, "killed");
  }

  #checkRoom(process: SimulatedProcess, shape: WorkerPlan, execution: Execution): void {
    let slots = 0;
    let cpus = 0;
    for (const each of this.#running) {
      if (each.process !== process) continue;
      slots += 1;
      cpus += each.cpus;
      this.#findings.expect(
        "slots_kept",
        each === execution || each.slot !== execution.slot,
        () => `${each.key} and ${execution.key} share slot ${execution.slot} of ${process.node}`,
      );
    }
    this.#findings.expect(
      "slots_kept",
      slots <= shape.slots && cpus <= shape.cpus,
      () => `${process.node} runs ${slots} of ${shape.slots} slots and ${cpus} of ${shape.cpus} cpus`,
    );
  }
}
