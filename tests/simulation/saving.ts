/**
 * Simulated evaluators that save checkpoints: which tasks have one, and what was saved, wherever it was.
 *
 * Promise: such an evaluator reports each of its steps once, in order, and goes on behind the step of what it was given.
 * What it measures at a step follows from the step alone, so that a curve can be checked whoever measured it.
 * Not here: when it saves and how it ends (evaluator.ts), what must hold (checkers/checkpoint_watch.ts, checkers/curve.ts).
 *
 * @module
 */
import { seededRandom } from "../../shared/actor/random.ts";
import type { ArtifactRef, Restore } from "../../shared/model/artifact.ts";
import type { CheckpointPolicy } from "../../shared/model/artifact.ts";
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import type { Execution } from "./executions.ts";
import type { Findings } from "./findings.ts";
import type { ScenarioName } from "./scenarios.ts";
import type { StoreLives } from "./store_lives.ts";
import { bytesMark } from "./trace.ts";

/** How a task's evaluator works. */
export interface SavingShape {
  /** It reports steps from 0 to one less. */
  readonly steps: number;
  /** After each so many of them it saves a checkpoint. */
  readonly every: number;
}

/** Most tasks take some steps; none takes more. */
const STEPS_MIN = 5;
const STEPS_MORE_MAX = 14;

/** How the evaluator of a task saves; undefined where it does not. @param part of all tasks, that save */
export function savingShape(seed: string, part: number, task: string): SavingShape | undefined {
  if (part === 0) return undefined;
  const random = seededRandom(seed, "saving", task);
  if (random.next() >= part) return undefined;
  return { steps: STEPS_MIN + random.integer(STEPS_MORE_MAX), every: 1 + random.integer(2) };
}

/** How many checkpoints a submission asks to be kept; undefined for as many as by default. */
export function drawnPolicy(seed: string, name: string): CheckpointPolicy | undefined {
  const random = seededRandom(seed, "checkpoint policy", name);
  if (random.integer(2) === 0) return undefined;
  return { keep: 1 + random.integer(3), keepEnded: random.integer(3) === 0 };
}

/** A checkpoint that was saved. */
interface Saved {
  readonly key: string;
  readonly task: string;
  readonly node: string;
  readonly step: number;
}

/** What the checkpoints of a run are watched with. */
export interface SavedOptions {
  readonly findings: Findings;
  readonly lives: StoreLives;
  readonly reached: (scenario: ScenarioName) => void;
}

/** All checkpoints that were ever saved, as the evaluators know it. */
export class SavedCheckpoints {
  readonly #options: SavedOptions;
  readonly #byHash = new Map<string, Saved>();
  /** What an execution goes on from, by lease. */
  readonly restored = new Map<string, Restore>();
  /** Executions that have saved something, by task, with those that run still. */
  readonly #savers = new Map<string, Set<Execution>>();

  constructor(options: SavedOptions) {
    this.#options = options;
  }

  /** An evaluator has saved what it knows after a step. @returns what its worker keeps at the master */
  save(execution: Execution, step: number): ArtifactRef {
    const { key, task, process } = execution;
    const mark = bytesMark(new TextEncoder().encode(`${key} ${step}`));
    const sha256 = mark.repeat(Math.ceil(64 / mark.length)).slice(0, 64);
    this.#byHash.set(sha256, { key, task, node: process.node, step });
    const savers = this.#savers.get(task) ?? new Set();
    this.#savers.set(task, savers.add(execution));
    if ([...savers].filter(({ end }) => end === undefined).length > 1) this.#options.reached("both_saved");
    return { sha256, bytes: step };
  }

  /** An evaluator begins, with what it was given to go on from. */
  begins(execution: Execution, lease: Lease, restore: Restore | undefined): void {
    if (restore === undefined) return;
    const { findings, lives, reached } = this.#options;
    const saved = this.#byHash.get(restore.sha256);
    const from = leaseKey({ epoch: restore.epoch, task: lease.task, attempt: restore.attempt });
    findings.expect(
      "checkpoints_kept",
      saved !== undefined && saved.key === from && saved.step === restore.step,
      () => `${execution.key} goes on from step ${restore.step} of ${from}, and nobody saved that`,
    );
    this.restored.set(execution.key, restore);
    if (saved !== undefined && saved.node !== execution.process.node) reached("continued_elsewhere");
    if (restore.epoch !== lease.epoch && lives.isPresent(restore.epoch)) {
      reached("continued_after_master_restart");
    }
  }
}
