/**
 * Waits until every task of a group has its outcome, whoever submitted it.
 *
 * Promise: asks again each time an outcome of the group was told, and at no other time.
 *
 * @module
 */
import type { Change } from "../shared/model/change.ts";
import type { GroupId } from "../shared/model/ids.ts";
import type { LogListener, LogRouter } from "./log_router.ts";
import type { Counts } from "./replies.ts";

/** A wait for one group. */
export class GroupWait implements LogListener {
  readonly #group: GroupId;
  readonly #router: LogRouter;
  readonly #ask: () => Promise<Counts>;
  readonly #over = Promise.withResolvers<Counts>();
  #isAsking = false;
  /** An outcome came that the answer on its way may not know. */
  #isStale = false;

  /** @param router with an open log @param ask how many tasks the group has, and how many ended */
  constructor(group: GroupId, router: LogRouter, ask: () => Promise<Counts>) {
    this.#group = group;
    this.#router = router;
    this.#ask = ask;
    router.listen(group, this);
    this.#look();
  }

  /** How all of them ended. */
  get over(): Promise<Counts> {
    return this.#over.promise;
  }

  change(change: Change): void {
    if (change.kind === "ended") this.#isStale = true;
  }

  flush(): void {
    if (this.#isStale) this.#look();
  }

  broken(error: Error): void {
    this.#router.unlisten(this.#group, this);
    this.#over.reject(error);
  }

  #look(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#isStale = false;
    this.#ask().then((counts) => this.#answered(counts), (error) => this.broken(error));
  }

  #answered(counts: Counts): void {
    this.#isAsking = false;
    const { submitted, completed, failed, cancelled, pruned } = counts;
    if (completed + failed + cancelled + pruned >= submitted) {
      this.#router.unlisten(this.#group, this);
      this.#over.resolve(counts);
    } else if (this.#isStale) this.#look();
  }
}
