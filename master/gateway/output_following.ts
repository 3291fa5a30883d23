/**
 * One reader of a task's output: what it is told next.
 *
 * Promise: who follows is told everything that is kept, of each attempt in its turn, and ends with the task. Nothing is
 * told twice.
 *
 * @module
 */
import { leaseKey } from "../../shared/model/task.ts";
import type { CommandError, OutputAsk, OutputEnvelope } from "../../shared/protocol/client_envelopes.ts";
import type { KeptAttempt, Logs } from "../logs/logs.ts";
import type { Queries, StoreResult } from "../store/store.ts";
import { OutputReading } from "./output_reading.ts";

/** How long the last output of an attempt is waited for after its task's outcome. */
export const LAST_OUTPUT_WAIT_MS = 2_000;

type Outcome = Queries["outcome"]["answer"];

/** What a reader is sent. */
export type Share = Omit<OutputEnvelope, "type" | "subscription">;

/** What stands around a reader. */
export interface Around {
  send(share: Share): void;
  /** Has this called in a turn of the feed's, if the subscription still lasts by then. */
  come(take: () => void): void;
  /** Has `waited` called then. */
  after(delayMs: number): void;
  /** Nothing follows. */
  over(): void;
}

/** A reader, from its subscription to its end. */
export class OutputFollowing {
  readonly ask: OutputAsk;
  /** Ends what was begun outside. */
  readonly release: () => void;
  readonly #logs: Logs;
  readonly #around: Around;
  readonly #readings = new Map<string, OutputReading>();
  #outcome: Outcome | undefined;
  /** Whether the outcome came while this one was there: then output may come behind it. */
  #hasSeenOpen = false;
  #reading: OutputReading | undefined;
  /** The attempts, as of the last look. */
  #attempts: readonly KeptAttempt[] = [];
  #mustLook = true;
  #isReady = true;
  #isBusy = false;
  #wait: "none" | "begun" | "over" = "none";
  #isToldAll = false;

  constructor(ask: OutputAsk, logs: Logs, around: Around) {
    this.ask = ask;
    this.#logs = logs;
    this.#around = around;
    this.release = logs.watch(ask.task, () => around.come(() => this.#grown()));
  }

  /** The share before has been read. */
  more(): void {
    this.#isReady = true;
    this.#advance();
  }

  waited(): void {
    this.#wait = "over";
    this.#grown();
  }

  outcomeIs(result: StoreResult<Outcome>): void {
    const { task } = this.ask;
    if (!result.ok) {
      const message = `the store could not answer: ${result.error.message}`;
      return this.#fail("store_failed", message, "come again");
    }
    if (!result.value.known) {
      return this.#fail("unknown_task", `there is no task ${task}`, "a task's id is GROUP/NUMBER");
    }
    if (result.value.state === null) this.#hasSeenOpen = true;
    this.#outcome = result.value;
    this.#grown();
  }

  #grown(): void {
    this.#mustLook = true;
    this.#reading?.grown();
    this.#advance();
  }

  /** One step, where the reader waits for one and nothing else is under way. */
  #advance(): void {
    if (!this.#isReady || this.#isBusy || this.#outcome === undefined) return;
    const reading = this.#reading;
    if (reading !== undefined && !reading.isAtEnd) {
      return this.#await((done) => reading.next(done), (pieces: Share["pieces"]) => {
        if (pieces.length > 0) this.#tell(pieces);
        else this.#advance();
      });
    }
    if (!this.#mustLook) return this.#rest(this.#outcome);
    this.#mustLook = false;
    this.#await((done) => this.#logs.attempts(this.ask.task, done), (attempts: readonly KeptAttempt[]) => {
      this.#attempts = attempts;
      this.#choose();
      this.#advance();
    });
  }

  /** What was asked for, else the attempt with the outcome, else the newest. */
  #choose(): void {
    const { attempt, from } = this.ask;
    const attempts = this.#attempts;
    const isOf =
      (at: { attempt: number | null; epoch: string | null } | null | undefined) => (each: KeptAttempt) =>
        each.lease.attempt === at?.attempt && each.lease.epoch === at.epoch;
    const { by = null, epoch = null } = this.#outcome ?? {};
    const where = this.#reading === undefined ? attempts.find(isOf(from)) : undefined;
    // There may be a newer one behind it.
    if (where !== undefined) this.#mustLook = true;
    const chosen = attempt !== null
      ? attempts.findLast(({ lease }) => lease.attempt === attempt)
      : where ?? attempts.find(isOf({ attempt: by, epoch })) ?? attempts.at(-1);
    if (chosen === undefined) return;
    const key = leaseKey(chosen.lease);
    this.#reading = this.#readings.get(key) ?? new OutputReading(this.#logs, chosen, from);
    this.#readings.set(key, this.#reading);
  }

  /** Nothing more is there for now. */
  #rest({ state }: Outcome): void {
    const { attempt, follow, task } = this.ask;
    const isAwaited = follow && state === null;
    if (attempt !== null && this.#reading === undefined && this.#attempts.length > 0 && !isAwaited) {
      // Each life of a master counts from 1.
      const kept = [...new Set(this.#attempts.map(({ lease }) => lease.attempt))].join(", ");
      const message = `nothing is kept of attempt ${attempt} of ${task}`;
      return this.#fail("unknown_attempt", message, `kept are those of attempts ${kept}`);
    }
    if (this.#isAllThere) return this.#end({ outcome: state ?? "", error: null });
    if (state !== null && this.#wait === "none") {
      this.#wait = "begun";
      this.#around.after(LAST_OUTPUT_WAIT_MS);
    }
    if (!this.#isToldAll) this.#tell([]);
  }

  get #isAllThere(): boolean {
    const { attempt, follow } = this.ask;
    const isOpen = this.#outcome?.state === null;
    const isComplete = this.#attempts.some(({ lease, isComplete }) =>
      isComplete && this.#reading !== undefined && leaseKey(lease) === leaseKey(this.#reading.of.lease)
    );
    if (isOpen) return !follow || (attempt !== null && isComplete);
    return isComplete || this.#wait === "over" || (this.#reading === undefined && !this.#hasSeenOpen);
  }

  /** Asks for something outside. */
  #await<T>(ask: (done: (value: T) => void) => void, then: (value: T) => void): void {
    this.#isBusy = true;
    ask((value) =>
      this.#around.come(() => {
        this.#isBusy = false;
        then(value);
      })
    );
  }

  /** @param pieces none where the reader has all that is there so far */
  #tell(pieces: Share["pieces"]): void {
    this.#isReady = false;
    if (pieces.length === 0) this.#isToldAll = true;
    this.#around.send({ of: this.#of, pieces, isAllSoFar: pieces.length === 0, end: null });
  }

  #fail(code: string, message: string, advice: string): void {
    const error: CommandError = { code, message, path: "", advice, retryAfterMs: null };
    this.#end({ outcome: "", error });
  }

  #end(end: NonNullable<Share["end"]>): void {
    this.#around.send({ of: this.#of, pieces: [], isAllSoFar: true, end });
    this.#around.over();
  }

  get #of(): Share["of"] {
    if (this.#reading === undefined) return null;
    const { lease: { epoch, attempt }, worker } = this.#reading.of;
    return { epoch, attempt, worker };
  }
}
