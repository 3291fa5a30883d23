/**
 * Simulated evaluators: how long they take and how they end is drawn from the seed and the task.
 *
 * Promise: what they measure follows from the candidate alone, so that a recorded result can be checked.
 *
 * @module
 */
import { type Random, seededRandom } from "../../shared/actor/random.ts";
import { decode } from "../../shared/protocol/codec.ts";
import { isRecord } from "../../shared/space/problem.ts";
import type { Attempt, Executor, ExecutorEvent, Running } from "../../worker/executors/executor.ts";
import type { Execution, Executions } from "./executions.ts";
import type { EvaluatorPlan, WorkerPlan } from "./plan.ts";
import type { SimulatedProcess } from "./process.ts";
import { bytesMark } from "./trace.ts";

/** The metric that every evaluation measures. */
export const METRIC = "score";
/** How long an evaluator takes that ends as soon as it is asked to. */
const PROMPT_MS = 4;

/** How long evaluators take at most once all is healed. */
const HEALED_MS_MAX = 1_000;

type End = Extract<ExecutorEvent, { type: "ended" }>["end"];
type Fate = "completes" | "fails" | "fails_for_good" | "hangs" | "kills_its_worker";

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
  /** A poisonous task has ended the process. */
  readonly poisoned: (task: string) => void;
  readonly isHealed: () => boolean;
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
  #isOver = false;

  constructor(options: EvaluatorOptions, attempt: Attempt, events: (event: ExecutorEvent) => void) {
    const { task } = attempt.lease;
    const { executions, process, shape, seed } = options;
    this.#options = options;
    this.#attempt = attempt;
    this.#events = events;
    this.#random = seededRandom(seed, "evaluation", task, executions.countOf(task));
    this.#execution = executions.started(process, shape, attempt);
  }

  begin(): Running {
    const durationMs = this.#durationMs();
    const fate = this.#fate();
    const reports = this.#random.integer(4) === 0 ? this.#random.integer(5) : 0;
    for (let step = 0; step < reports; step++) {
      this.#after(durationMs * (step + 1) / (reports + 1), () => this.#report(step));
    }
    // Some end within `start`, as the empty evaluator does.
    if (durationMs === 0 && fate !== "hangs" && fate !== "kills_its_worker") this.#end(fate);
    else if (fate !== "hangs") this.#after(durationMs, () => this.#end(fate));
    return { stop: (graceMs) => this.#stop(graceMs) };
  }

  #durationMs(): number {
    const { shortMs, longMs, long } = this.#options.plan;
    const span = this.#random.next() < long ? longMs : shortMs;
    const durationMs = Math.floor(span.min + this.#random.next() * (span.max - span.min));
    // What is left in the end must be done in bounded time, also by one slot.
    return this.#options.isHealed() ? Math.min(durationMs, HEALED_MS_MAX) : durationMs;
  }

  #fate(): Fate {
    const { failed, final, hangs, poisonous } = this.#options.plan;
    const draw = this.#random.next();
    if (this.#options.isHealed()) return draw < failed / 2 ? "fails" : "completes";
    if (draw < failed) return "fails";
    if (draw < failed + final) return "fails_for_good";
    if (draw < failed + final + hangs) return "hangs";
    return draw < failed + final + hangs + poisonous ? "kills_its_worker" : "completes";
  }

  #end(fate: Exclude<Fate, "hangs">): void {
    const { task } = this.#attempt.lease;
    switch (fate) {
      case "completes":
        return this.#over({
          state: "completed",
          metrics: { [METRIC]: measured(candidateOf(this.#attempt.payload)) },
        });
      case "fails":
      case "fails_for_good": {
        if (fate === "fails_for_good") this.#options.executions.finalFailures.add(task);
        const message = this.#random.integer(2) === 0 ? "it broke" : `it broke on ${task}`;
        return this.#over({
          state: "failed",
          cause: "evaluator",
          message,
          final: fate === "fails_for_good",
        });
      }
      case "kills_its_worker":
        return this.#options.poisoned(task);
    }
  }

  #report(step: number): void {
    if (!this.#isOver) this.#events({ type: "report", step, metrics: { [METRIC]: step } });
  }

  /** Three of four end soon after they were asked; the rest ignore it until they are killed. */
  #stop(graceMs: number): void {
    const isPrompt = this.#random.integer(4) > 0;
    this.#after(isPrompt ? Math.min(PROMPT_MS, graceMs) : graceMs, () => this.#over({ state: "stopped" }));
  }

  #over(end: End): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const cancel of this.#timers) cancel();
    this.#options.executions.ended(this.#execution, end.state);
    this.#events({ type: "ended", end });
  }

  #after(delayMs: number, call: () => void): void {
    this.#timers.push(this.#options.process.timer(delayMs, call));
  }
}
