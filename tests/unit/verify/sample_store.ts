/**
 * A small store with everything in it that can be checked, written by the real store.
 *
 * It has two lives; a search that used its budget and one that goes on; plain tasks that completed, failed by each kind
 * of cause, were cancelled, or are open with an attempt that is; one that goes on from a checkpoint.
 *
 * @module
 */
import { SearchFold } from "../../../master/experiments/search_fold.ts";
import { templateOf } from "../../../master/experiments/template.ts";
import { Database } from "../../../master/store/sqlite/database.ts";
import { packChanges, unpackChanges } from "../../../master/store/sqlite/row_change.ts";
import type { StoreChange } from "../../../master/store/store.ts";
import {
  type Epoch,
  groupId,
  incarnation,
  type TaskId,
  taskId,
  workerId,
} from "../../../shared/model/ids.ts";
import type { FailureCause, Outcome } from "../../../shared/model/outcome.ts";
import type { Lease } from "../../../shared/model/task.ts";
import { encode } from "../../../shared/protocol/codec.ts";
import { type Spec, specSchema } from "../../../shared/protocol/spec.ts";

const AT_MS = 1_700_000_000_000;
const WORKER = workerId("machine-1");
const PLAIN = groupId("t7");
const SEARCH_TRIALS = 12;

/** A search as a user writes it. */
function specOf(name: string, trials: number): Spec {
  return specSchema.parse({
    name,
    space: { kind: "parameters", parameters: { ms: { type: "real", min: 1, max: 9 } } },
    optimizer: { kind: "genetic", seed: 7, population: 4 },
    evaluator: { kind: "builtin", name: "sleep" },
    objectives: [{ metric: "ms", direction: "minimize" }],
    budget: { trials },
  });
}

/** Writes the store. @param path of a file that is not there yet */
export function writeSampleStore(path: string): void {
  new Writer(path).write();
}

class Writer {
  readonly #database: Database;
  #epoch: Epoch;
  #batch = 0;
  #marks = 0;

  constructor(path: string) {
    this.#database = new Database({
      path,
      wallClock: () => AT_MS,
      randomHex: (digits) => (++this.#marks).toString(16).padStart(digits, "0"),
    });
    this.#epoch = this.#database.open().epoch;
  }

  write(): void {
    const search = specOf("ended", SEARCH_TRIALS), open = specOf("open", 100);
    this.#begin("ended-1", search);
    const fold = new SearchFold(search);
    this.#search("ended-1", fold, SEARCH_TRIALS / 2);
    this.#plain();
    this.#epoch = this.#database.open().epoch;
    this.#search("ended-1", fold, SEARCH_TRIALS / 2);
    this.#commit([{
      type: "experiment_state",
      experiment: groupId("ended-1"),
      state: "completed",
      reason: "",
      atMs: AT_MS,
    }]);
    this.#begin("open-2", open);
    this.#search("open-2", new SearchFold(open), 3);
    this.#late();
    this.#database.close();
  }

  #commit(changes: readonly StoreChange[]): void {
    const { verdicts } = this.#database.commit(
      this.#epoch,
      ++this.#batch,
      unpackChanges(packChanges(changes)),
    );
    for (const verdict of verdicts) {
      if (verdict.type !== "recorded") throw new Error(`the sample was answered ${verdict.type}`);
    }
  }

  #begin(id: string, spec: Spec): void {
    const group = groupId(id);
    this.#commit([
      {
        type: "experiment_added",
        experiment: group,
        name: spec.name,
        spec: JSON.stringify(spec),
        atMs: AT_MS,
      },
      { type: "group_added", group, template: encode(templateOf(spec)).slice() },
    ]);
  }

  /** Proposes two at a time and tells them in the other order. */
  #search(id: string, fold: SearchFold, trials: number): void {
    for (let done = 0; done < trials; done += 2) {
      const next = [fold.next(), fold.next()].flatMap((each) => typeof each === "string" ? [] : [each]);
      for (const { number, payload, row } of next) {
        this.#commit([
          {
            type: "tasks_submitted",
            group: groupId(id),
            first: number,
            payloads: [payload],
            trials: [row],
            atMs: AT_MS,
          },
        ]);
      }
      for (const { number, row } of next.toReversed()) {
        const lease = this.#lease(taskId(groupId(id), number), 1);
        const reports = [1, 2, 3].map((number) => ({
          number,
          step: number * 10,
          metrics: { loss: 1 / number },
        }));
        const outcome: Outcome = { state: "completed", metrics: JSON.parse(row.candidate) };
        this.#commit([{ type: "reports", lease, reports }]);
        this.#commit([this.#outcome(lease, outcome, 1)]);
        fold.ended(number, outcome, 1);
      }
    }
  }

  /** Numbers 1 to 7: completed, cancelled, failed by its evaluator, crashed, open, lost, continued. */
  #plain(): void {
    const template = templateOf(specOf("plain", 1));
    const payloads = Array.from({ length: 7 }, () => encode({ candidate: { ms: 1 } }).slice());
    this.#commit([
      { type: "group_added", group: PLAIN, template: encode(template).slice() },
      { type: "tasks_submitted", group: PLAIN, first: 1, payloads: payloads.slice(0, 4), atMs: AT_MS },
    ]);
    this.#commit([{
      type: "tasks_submitted",
      group: PLAIN,
      first: 5,
      payloads: payloads.slice(4),
      atMs: AT_MS,
    }]);
    this.#commit([
      this.#outcome(this.#lease(this.#task(1), 1), { state: "completed", metrics: { ms: 1 } }, 1),
      {
        type: "outcome",
        task: this.#task(2),
        worker: "",
        outcome: { state: "cancelled" },
        attempts: 0,
        elapsedMs: 0,
        atMs: AT_MS,
      },
    ]);
    this.#fail(3, "evaluator", template.retry.limit + 1);
    this.#fail(4, "crash", template.retry.crashLimit + 1);
    this.#commit([this.#opened(5)]);
    for (let attempt = 1; attempt <= 2; attempt++) this.#commit([this.#ended(6, attempt, "worker_lost")]);
    this.#continued(7);
  }

  /** The second life: what was open is open still, and what was lost is completed late. */
  #late(): void {
    const lease = { ...this.#lease(this.#task(6), 1) };
    this.#commit([this.#outcome(lease, { state: "completed", metrics: { ms: 1 } }, 3)]);
  }

  #fail(number: number, cause: FailureCause, times: number): void {
    for (let attempt = 1; attempt <= times; attempt++) this.#commit([this.#ended(number, attempt, cause)]);
    this.#commit([
      this.#outcome(
        this.#lease(this.#task(number), times),
        { state: "failed", cause, message: "it failed" },
        times,
      ),
    ]);
  }

  /** Its first attempt saves three checkpoints and a file and crashes; the second goes on, and saves one that counts no more. */
  #continued(number: number): void {
    const [first, second] = [1, 2].map((attempt) => this.#lease(this.#task(number), attempt));
    if (first === undefined || second === undefined) return;
    const artifact = (digit: string) => ({ sha256: digit.repeat(64), bytes: 5 });
    const saved = (at: number, step: number) => [
      { number: at, step, metrics: { loss: step } },
      { number: at + 1, step, metrics: {}, checkpoint: artifact(String(step)) },
    ];
    const file = { name: "plot.png", ...artifact("f") };
    this.#commit([
      {
        type: "reports",
        lease: first,
        reports: [...saved(1, 1), ...saved(3, 2), ...saved(5, 3), { number: 7, step: 3, metrics: {}, file }],
        keep: 2,
      },
      this.#ended(number, 1, "crash"),
    ]);
    this.#commit([
      {
        ...this.#opened(number, 2),
        continues: { ...artifact("3"), epoch: this.#epoch, attempt: 1, step: 3 },
      },
      { type: "reports", lease: second, reports: saved(1, 4) },
    ]);
  }

  #opened(number: number, attempt = 1): Extract<StoreChange, { type: "attempt_opened" }> {
    const lease = this.#lease(this.#task(number), attempt);
    return { type: "attempt_opened", lease, worker: WORKER, incarnation: incarnation("life-1"), atMs: AT_MS };
  }

  #ended(number: number, attempt: number, cause: FailureCause): StoreChange {
    const lease = this.#lease(this.#task(number), attempt);
    return { type: "attempt_ended", lease, worker: WORKER, cause, message: "it failed", atMs: AT_MS };
  }

  #outcome(lease: Lease, outcome: Outcome, attempts: number): StoreChange {
    return {
      type: "outcome",
      task: lease.task,
      lease,
      worker: WORKER,
      outcome,
      attempts,
      elapsedMs: 5,
      atMs: AT_MS,
    };
  }

  #task(number: number): TaskId {
    return taskId(PLAIN, number);
  }

  #lease(task: TaskId, attempt: number): Lease {
    return { epoch: this.#epoch, task, attempt };
  }
}
