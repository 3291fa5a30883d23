/**
 * A submission: any number of plain tasks, handed over in batches, and their outcomes.
 *
 * Promise: every input has one outcome, told once; not more than a window of batches is on its way, however many inputs
 * there are and however slowly the master takes them.
 *
 * Each batch is a group of its own at the master; the submission spans them.
 *
 * @module
 */
import type { GroupId } from "../shared/model/ids.ts";
import type { TaskTemplate } from "../shared/model/task.ts";
import { BatchListener, type TaskOutcome } from "./batch_listener.ts";
import { Channel } from "./channel.ts";
import { unexpectedReply } from "./command_failed.ts";
import type { Correspondent } from "./correspondent.ts";
import type { LogRouter } from "./log_router.ts";
import { type Counts, replySchemas } from "./replies.ts";
import type { Batch } from "./submission_batches.ts";

/** Batches on their way at once: enough to keep every stage busy, few enough to hold little. */
export const BATCHES_ON_THE_WAY_MAX = 8;
/** What of a submission's name stands in its group's id; the master cuts there. */
export const NAME_IN_GROUP_MAX = 64;

/** Plain tasks that were handed over. */
export interface SubmissionHandle {
  /** The groups of the batches that are durable. */
  readonly groups: readonly GroupId[];
  /** Fulfilled with the number of tasks once all are durable. */
  readonly submitted: Promise<number>;
  /** Every outcome, in the order in which they became durable. To be read once, here or in `batches`. */
  outcomes(): AsyncIterableIterator<TaskOutcome, undefined>;
  /** The same, as they arrive together: the fast way. */
  batches(): AsyncIterableIterator<readonly TaskOutcome[], undefined>;
  /** Fulfilled once every task has its outcome. */
  wait(): Promise<Counts>;
  /** Cancels what has no outcome yet. */
  cancel(): Promise<void>;
}

/** What a submission is made of. */
export interface SubmissionParts {
  readonly name: string;
  readonly template: TaskTemplate;
  readonly batches: Iterator<Batch>;
  /** Is told outcomes as they come; they are not kept for `outcomes` then. */
  readonly onOutcomes: ((outcomes: readonly TaskOutcome[]) => void) | undefined;
}

/** Hands batches over and gathers outcomes. */
export class Submission implements SubmissionHandle {
  readonly groups: GroupId[] = [];
  readonly #correspondent: Correspondent;
  readonly #router: LogRouter;
  readonly #parts: SubmissionParts;
  readonly #channel = new Channel<readonly TaskOutcome[]>();
  readonly #allSubmitted = Promise.withResolvers<number>();
  readonly #allEnded = Promise.withResolvers<Counts>();
  readonly #firstAccepted = Promise.withResolvers<void>();
  readonly #open = new Set<BatchListener>();
  readonly #counts = { submitted: 0, completed: 0, failed: 0, cancelled: 0, pruned: 0 };
  #onTheWay = 0;
  #isAllSent = false;
  #isCancelled = false;
  #isExpecting = true;
  #failure: Error | undefined;

  constructor(correspondent: Correspondent, router: LogRouter, parts: SubmissionParts) {
    this.#correspondent = correspondent;
    this.#router = router;
    this.#parts = parts;
    // Nobody has to look at each of them: whoever does still gets the error.
    for (const { promise } of [this.#allSubmitted, this.#allEnded, this.#firstAccepted]) ignore(promise);
    router.expect(this.#prefix);
    router.whenOpen(() => this.#sendMore(), (error) => this.#fail(error));
  }

  /** Fulfilled once the first batch is durable: by then mistakes of the whole have shown. */
  get accepted(): Promise<void> {
    return this.#firstAccepted.promise;
  }

  get submitted(): Promise<number> {
    return this.#allSubmitted.promise;
  }

  async *outcomes(): AsyncIterableIterator<TaskOutcome, undefined> {
    for await (const batch of this.#channel) yield* batch;
    return undefined;
  }

  batches(): AsyncIterableIterator<readonly TaskOutcome[], undefined> {
    return this.#channel;
  }

  wait(): Promise<Counts> {
    return this.#allEnded.promise;
  }

  async cancel(): Promise<void> {
    this.#isAllSent = this.#isCancelled = true;
    await Promise.all([...this.#open].map((batch) => this.#cancelGroup(batch.group)));
    this.#finishIfDone();
  }

  #cancelGroup(group: GroupId): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#correspondent.command({ kind: "cancel", group, number: null }, (error) => {
        // A group whose last task ended meanwhile has nothing to cancel.
        if (error === undefined || error.code === "unknown_group") resolve();
        else reject(error);
      });
    });
  }

  get #prefix(): string {
    return `${this.#parts.name.slice(0, NAME_IN_GROUP_MAX)}.`;
  }

  #sendMore(): void {
    try {
      while (!this.#isAllSent && this.#onTheWay < BATCHES_ON_THE_WAY_MAX) {
        const { done, value } = this.#parts.batches.next();
        if (done === true) this.#isAllSent = true;
        else this.#sendBatch(value);
      }
    } catch (error) {
      this.#fail(asError(error));
    }
    this.#finishIfDone();
  }

  #sendBatch({ first, payloads }: Batch): void {
    this.#onTheWay += 1;
    const { name, template } = this.#parts;
    this.#correspondent.command({ kind: "submit", name, template, payloads }, (error, value) => {
      this.#onTheWay -= 1;
      if (error !== undefined) return this.#fail(error);
      const reply = replySchemas.submit.safeParse(value);
      if (!reply.success) return this.#fail(unexpectedReply("submit"));
      this.#accepted(reply.data.group, first, payloads.length);
      this.#sendMore();
    });
  }

  #accepted(group: GroupId, first: number, count: number): void {
    this.groups.push(group);
    this.#counts.submitted += count;
    this.#firstAccepted.resolve();
    const batch = new BatchListener(group, first, count, {
      ended: (outcomes) => this.#ended(outcomes),
      over: (over) => {
        this.#router.unlisten(group, over);
        this.#open.delete(over);
      },
      broken: (error) => this.#fail(error),
    });
    this.#open.add(batch);
    this.#router.listen(group, batch);
    if (this.#isCancelled) this.#cancelGroup(group).catch((error) => this.#fail(asError(error)));
  }

  #ended(outcomes: readonly TaskOutcome[]): void {
    for (const { state } of outcomes) this.#counts[state] += 1;
    if (this.#parts.onOutcomes === undefined) this.#channel.push(outcomes);
    else this.#parts.onOutcomes(outcomes);
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (!this.#isAllSent || this.#onTheWay > 0 || this.#failure !== undefined) return;
    this.#stopExpecting();
    this.#firstAccepted.resolve();
    this.#allSubmitted.resolve(this.#counts.submitted);
    if (this.#open.size > 0) return;
    this.#channel.close();
    this.#allEnded.resolve({ ...this.#counts });
  }

  #stopExpecting(): void {
    if (!this.#isExpecting) return;
    this.#isExpecting = false;
    this.#router.unexpect(this.#prefix);
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#isAllSent = true;
    this.#stopExpecting();
    for (const batch of this.#open) this.#router.unlisten(batch.group, batch);
    this.#firstAccepted.reject(error);
    this.#allSubmitted.reject(error);
    this.#allEnded.reject(error);
    this.#channel.close(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Whoever looks at the promise still gets its error; whoever does not must not be ended by it. */
function ignore(promise: Promise<unknown>): void {
  promise.catch(() => {});
}
