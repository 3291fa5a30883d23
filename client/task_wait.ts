/**
 * Waits until some tasks of a group have their outcomes, whoever submitted them.
 *
 * Promise: each task is asked about once; after that only its change is waited for.
 *
 * @module
 */
import type { Change } from "../shared/model/change.ts";
import { type GroupId, type TaskId, taskId } from "../shared/model/ids.ts";
import type { OutcomeState } from "../shared/model/outcome.ts";
import type { LogListener, LogRouter } from "./log_router.ts";
import type { Counts, Explanation } from "./replies.ts";

/** Questions on their way at once. */
const ASKED_AT_ONCE = 64;

const OUTCOMES: ReadonlySet<string> = new Set<OutcomeState>(["completed", "failed", "cancelled", "pruned"]);

/** A wait for tasks of one group. */
export class TaskWait implements LogListener {
  readonly #group: GroupId;
  readonly #router: LogRouter;
  readonly #open: Set<TaskId>;
  readonly #counts = { submitted: 0, completed: 0, failed: 0, cancelled: 0, pruned: 0 };
  readonly #over = Promise.withResolvers<Counts>();

  /** @param router with an open log @param explain where a task is now */
  constructor(
    group: GroupId,
    numbers: readonly number[],
    router: LogRouter,
    explain: (task: TaskId) => Promise<Explanation>,
  ) {
    this.#group = group;
    this.#router = router;
    this.#open = new Set(numbers.map((number) => taskId(group, number)));
    this.#counts.submitted = this.#open.size;
    router.listen(group, this);
    this.#look(explain).catch((error: unknown) =>
      this.broken(error instanceof Error ? error : new Error(String(error)))
    );
  }

  /** How all of them ended. */
  get over(): Promise<Counts> {
    return this.#over.promise;
  }

  change(change: Change): void {
    if (change.kind === "ended") this.#ended(change.task, change.state);
  }

  flush(): void {}

  broken(error: Error): void {
    this.#router.unlisten(this.#group, this);
    this.#over.reject(error);
  }

  async #look(explain: (task: TaskId) => Promise<Explanation>): Promise<void> {
    const tasks = [...this.#open];
    for (let first = 0; first < tasks.length; first += ASKED_AT_ONCE) {
      const some = tasks.slice(first, first + ASKED_AT_ONCE).filter((task) => this.#open.has(task));
      for (const { task, state } of await Promise.all(some.map(explain))) {
        const [asked] = some.filter((each) => each === task);
        if (asked !== undefined && isOutcome(state)) this.#ended(asked, state);
      }
    }
    this.#finish();
  }

  #ended(task: TaskId, state: OutcomeState): void {
    if (!this.#open.delete(task)) return;
    this.#counts[state] += 1;
    this.#finish();
  }

  #finish(): void {
    if (this.#open.size > 0) return;
    this.#router.unlisten(this.#group, this);
    this.#over.resolve({ ...this.#counts });
  }
}

function isOutcome(state: string): state is OutcomeState {
  return OUTCOMES.has(state);
}
