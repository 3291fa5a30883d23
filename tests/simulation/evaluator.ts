/**
 * Simulated evaluators: how long they take and how they end is drawn from the seed and the task.
 *
 * Promise: what they measure follows from the candidate alone, so that a recorded result can be checked.
 *
 * @module
 */
import { type Random, seededRandom } from "../../shared/actor/random.ts";
import type { Metrics } from "../../shared/model/outcome.ts";
import { decode } from "../../shared/protocol/codec.ts";
import { isRecord } from "../../shared/space/problem.ts";
import type { Attempt, Executor, ExecutorEvent, Running } from "../../worker/executors/executor.ts";
import type { Execution, Executions } from "./executions.ts";
import type { FaultName } from "./faults.ts";
import type { EvaluatorPlan, WorkerPlan } from "./plan.ts";
import type { SimulatedProcess } from "./process.ts";
import { type SavedCheckpoints, type SavingShape, savingShape } from "./saving.ts";
import { bytesMark } from "./trace.ts";

/** The metric that every evaluation measures. */
export const METRIC = "score";
/** How long an evaluator takes that ends as soon as it is asked to. */
const PROMPT_MS = 4;

/** Evaluators may hang: whatever runs has a deadline, longer than the silence after which a worker is lost. */
export const DEADLINE_MS = 60_000;
/** How often an evaluator reports that has gone wild, at least; at most three times as often. */
const WILD_REPORTS = 700;
/** So many at once. */
const WILD_BATCH = 50;

/** Checkpoints are on their way to the master for at most as long as so many steps take. */
const SAVING_STEPS_MAX = 1;

/** How long evaluators take at most once all is healed. */
const HEALED_MS_MAX = 1_000;

type End = Extract<ExecutorEvent, { type: "ended" }>["end"];
type Fate =
  | "completes"
  | "fails"
  | "fails_for_good"
  | "hangs"
  | "kills_its_worker"
  | "goes_wild"
  | "ends_at_deadline";

/** What a candidate measures. */
export function measured(candidate: unknown): number {
  return parseInt(bytesMark(new TextEncoder().encode(JSON.stringify(candidate))), 16) / 2 ** 32;
}

/** The candidate in a task's payload. */
export function candidateOf(payload: Uint8Array): unknown {
  const input = decode(payload);
  return isRecord(input) ? input["candidate"] : undefined;
}

/** What the executors of one worker process stand on. */
export interface EvaluatorOptions {
  readonly seed: string;
  readonly plan: EvaluatorPlan;
  readonly shape: WorkerPlan;
  readonly process: SimulatedProcess;
  readonly executions: Executions;
  readonly saved: SavedCheckpoints;
  /** A poisonous task has ended the process. */
  readonly poisoned: (task: string) => void;
  readonly isHealed: () => boolean;
  readonly met: (fault: FaultName) => void;
}

/** The executor of a worker process, for both kinds of evaluators. */
export function simulatedExecutors(options: EvaluatorOptions): readonly Pick<Executor, "kind" | "start">[] {
  const start: Executor["start"] = (attempt, events) => new Evaluation(options, attempt, events).begin();
  return [{ kind: "module", start }, { kind: "builtin", start }];
}

class Evaluation {
  readonly #options: EvaluatorOptions;
  readonly #attempt: Attempt;
  readonly #events: (event: ExecutorEvent) => void;
  readonly #execution: Execution;
  readonly #random: Random;
  readonly #timers: (() => void)[] = [];
  /** Checkpoints that are on their way to the master: their steps. */
  #saving: number[] = [];
  #takesSteps = false;
  #isOver = false;

  constructor(options: EvaluatorOptions, attempt: Attempt, events: (event: ExecutorEvent) => void) {
    const { task } = attempt.lease;
    const { executions, process, shape, seed, saved } = options;
    this.#options = options;
    this.#attempt = attempt;
    this.#events = (event) => {
      if (event.type === "report") executions.reported(this.#execution, event);
      events(event);
    };
    this.#random = seededRandom(seed, "evaluation", task, executions.countOf(task));
    this.#execution = executions.started(process, shape, attempt);
    saved.begins(this.#execution, attempt.lease, attempt.restore);
  }

  begin(): Running {
    const fate = this.#fate();
    const durationMs = this.#durationMs(fate);
    const saves = savingShape(this.#options.seed, this.#options.plan.saves, this.#attempt.lease.task);
    if (saves !== undefined) {
      return this.#beginSaving(saves, fate === "goes_wild" ? "completes" : fate, durationMs);
    }
    const reports = this.#random.integer(4) === 0 ? this.#random.integer(5) : 0;
    for (let step = 0; step < reports; step++) {
      this.#after(durationMs * (step + 1) / (reports + 1), () => this.#report(step));
    }
    if (fate === "goes_wild") this.#goWild(durationMs);
    // Some end within `start`, as the empty evaluator does.
    if (durationMs === 0 && fate !== "hangs" && fate !== "kills_its_worker") this.#end(fate);
    else if (fate === "hangs") this.#options.met("hang");
    else this.#after(durationMs, () => this.#end(fate));
    return { stop: (graceMs) => this.#stop(graceMs) };
  }

  /** Reports each step once, from behind the one that it goes on from, and saves checkpoints on its way. */
  #beginSaving(shape: SavingShape, fate: Exclude<Fate, "goes_wild">, durationMs: number): Running {
    this.#takesSteps = true;
    const first = (this.#attempt.restore?.step ?? -1) + 1;
    const stepMs = durationMs / shape.steps;
    const isWhole = fate === "completes" || fate === "ends_at_deadline";
    if (fate === "hangs") this.#options.met("hang");
    else if (!isWhole) {
      this.#after(stepMs * (shape.steps - first) * this.#random.next(), () => this.#end(fate));
    }
    // One after the other, also where a process slept.
    const goOn = (step: number) => {
      if (step < shape.steps) {
        this.#at(stepMs, () => {
          this.#step(step, shape, stepMs);
          goOn(step + 1);
        });
      } else if (isWhole) this.#end(fate);
    };
    goOn(first);
    return { stop: (graceMs) => this.#stop(graceMs) };
  }

  /** What takes no time is done within `start`. */
  #at(delayMs: number, call: () => void): void {
    if (delayMs === 0) call();
    else this.#after(delayMs, call);
  }

  #step(step: number, { every }: SavingShape, stepMs: number): void {
    if (this.#isOver) return;
    this.#report(step);
    if (step % every !== 0) return;
    this.#saving.push(step);
    this.#at(stepMs * this.#random.next() * SAVING_STEPS_MAX, () => this.#saved(step));
  }

  /** What is kept at the master by now; a newer one that was faster makes an older one needless. */
  #saved(step: number): void {
    if (this.#isOver || !this.#saving.includes(step)) return;
    this.#saving = this.#saving.filter((each) => each > step);
    const checkpoint = this.#options.saved.save(this.#execution, step);
    this.#events({ type: "report", step, metrics: {}, checkpoint });
  }

  #durationMs(fate: Fate): number {
    const { shortMs, longMs, long } = this.#options.plan;
    if (fate === "ends_at_deadline") return DEADLINE_MS;
    const span = this.#random.next() < long ? longMs : shortMs;
    const durationMs = Math.floor(span.min + this.#random.next() * (span.max - span.min));
    // What is left in the end must be done in bounded time, also by one slot.
    return this.#options.isHealed() ? Math.min(durationMs, HEALED_MS_MAX) : durationMs;
  }

  #fate(): Fate {
    const { failed, final, hangs, poisonous, wild, atDeadline } = this.#options.plan;
    let draw = this.#random.next();
    if (this.#options.isHealed()) return draw < failed / 2 ? "fails" : "completes";
    const fates: readonly (readonly [Fate, number])[] = [
      ["fails", failed],
      ["fails_for_good", final],
      ["hangs", hangs],
      ["kills_its_worker", poisonous],
      ["goes_wild", wild],
      ["ends_at_deadline", atDeadline],
    ];
    for (const [fate, part] of fates) {
      if (draw < part) return fate;
      draw -= part;
    }
    return "completes";
  }

  #end(fate: Exclude<Fate, "hangs">): void {
    const { executions, met, poisoned } = this.#options;
    const { task } = this.#attempt.lease;
    switch (fate) {
      case "ends_at_deadline":
        met("endedAtDeadline");
        return this.#complete();
      case "completes":
        return this.#complete();
      case "goes_wild":
        // Half of them end with what no frame can carry: that fails them, for good.
        if (this.#random.integer(2) === 0) return this.#complete();
        executions.finalFailures.add(task);
        return this.#over({ state: "completed", metrics: { [METRIC]: NaN } }, "failed");
      case "fails":
      case "fails_for_good": {
        met(fate === "fails" ? "failed" : "failedForGood");
        if (fate === "fails_for_good") executions.finalFailures.add(task);
        const message = this.#random.integer(2) === 0 ? "it broke" : `it broke on ${task}`;
        return this.#over({
          state: "failed",
          cause: "evaluator",
          message,
          final: fate === "fails_for_good",
        });
      }
      case "kills_its_worker":
        met("poison");
        return poisoned(task);
    }
  }

  #complete(): void {
    this.#over({
      state: "completed",
      metrics: { [METRIC]: measured(candidateOf(this.#attempt.payload)) },
    });
  }

  /** Reports without measure: backwards, twice, and what no frame can carry. */
  #goWild(durationMs: number): void {
    this.#options.met("wildReports");
    const batches = (WILD_REPORTS + this.#random.integer(2 * WILD_REPORTS)) / WILD_BATCH;
    for (let batch = 0; batch < batches; batch++) {
      this.#after(durationMs * this.#random.next(), () => {
        for (let i = 0; i < WILD_BATCH; i++) this.#reportWildly();
      });
    }
  }

  #reportWildly(): void {
    if (this.#isOver) return;
    const step = this.#random.pick([this.#random.integer(1_000), 7, -1, 0.5, Number.MAX_VALUE]);
    const metrics = this.#random.pick<Metrics>([
      { [METRIC]: this.#random.next() },
      { [METRIC]: NaN },
      { [METRIC]: -Infinity },
      { ["n".repeat(1 + this.#random.integer(300))]: 1 },
      { "": 1 },
      { [METRIC]: 1, constructor: 2, hasOwnProperty: 3 },
    ]);
    this.#events({ type: "report", step, metrics });
  }

  #report(step: number): void {
    if (!this.#isOver) this.#events({ type: "report", step, metrics: { [METRIC]: step } });
  }

  /** Three of four end soon after they were asked; the rest ignore it until they are killed. Some complete just then. */
  #stop(graceMs: number): void {
    const { plan, met } = this.#options;
    if (this.#isOver) return;
    // One that takes step after step has more to do.
    if (this.#random.next() < plan.atCancel && !this.#takesSteps) {
      met("endedAtCancel");
      return this.#after(0, () => this.#complete());
    }
    const isPrompt = this.#random.integer(4) > 0;
    if (!isPrompt) met("ignoredStop");
    this.#after(isPrompt ? Math.min(PROMPT_MS, graceMs) : graceMs, () => this.#over({ state: "stopped" }));
  }

  /** @param becomes what is made of it of it, where the worker cannot pass on what it says */
  #over(end: End, becomes: Execution["end"] = end.state): void {
    if (this.#isOver) return;
    // What is on its way is waited for, unless the worker gives it up.
    const last = this.#saving.at(-1);
    if (last !== undefined && this.#random.integer(3) > 0) this.#saved(last);
    this.#isOver = true;
    for (const cancel of this.#timers) cancel();
    this.#options.executions.ended(this.#execution, becomes ?? end.state);
    this.#events({ type: "ended", end });
  }

  #after(delayMs: number, call: () => void): void {
    this.#timers.push(this.#options.process.timer(delayMs, call));
  }
}
