/**
 * An experiment in the hands of who runs it: its changes, its end, and how to steer it.
 *
 * @module
 */
import type { Change } from "../shared/model/change.ts";
import { type ExperimentState, type ExperimentSummary, isOver } from "../shared/model/experiment.ts";
import type { GroupId } from "../shared/model/ids.ts";
import { Channel } from "./channel.ts";
import { CommandFailed } from "./command_failed.ts";
import type { LogListener, LogRouter } from "./log_router.ts";

/** A trial has its outcome. */
export type TrialEnded = Extract<Change, { readonly kind: "ended" }>;
/** An experiment has come into a state. */
export type ExperimentChanged = Extract<Change, { readonly kind: "experiment" }>;

/** Called as changes come. */
export interface ExperimentCallbacks {
  readonly onTrial?: (trial: TrialEnded) => void;
  readonly onState?: (state: ExperimentState, reason: string) => void;
}

/** What a handle asks of its client. */
export interface ExperimentSteering {
  show(): Promise<ExperimentSummary>;
  command(kind: "cancel" | "pause" | "resume"): Promise<void>;
}

/** One experiment. Its changes are heard from the handle's making on. */
export class ExperimentHandle implements LogListener {
  readonly #router: LogRouter;
  readonly #steering: ExperimentSteering;
  readonly #callbacks: ExperimentCallbacks;
  readonly #readers = new Set<Channel<Change>>();
  #overWaiters: { resolve(): void; reject(error: Error): void }[] = [];
  #isOver = false;
  #isListening = true;
  #broken: Error | undefined;

  constructor(
    readonly id: GroupId,
    router: LogRouter,
    steering: ExperimentSteering,
    callbacks: ExperimentCallbacks,
  ) {
    this.#router = router;
    this.#steering = steering;
    this.#callbacks = callbacks;
    router.listen(id, this);
  }

  /** Every change from now on, until the experiment is over. Leave the loop to stop listening. */
  changes(): AsyncIterableIterator<Change, undefined> {
    const channel: Channel<Change> = new Channel(() => this.#readers.delete(channel));
    this.#readers.add(channel);
    if (this.#isOver || this.#broken !== undefined) channel.close(this.#broken);
    return channel;
  }

  /**
   * Fulfilled with the summary once the experiment is completed, cancelled or broken, and all its changes have been
   * told: the answer to a question may overtake them.
   */
  async wait(): Promise<ExperimentSummary> {
    for (;;) {
      const now = await this.#shown();
      if (isOver(now.state) && (!this.#isListening || this.#broken !== undefined)) return now;
      await this.#over();
    }
  }

  /** Looks whether it was over before anyone listened: of that end no change will tell. */
  async look(): Promise<void> {
    if (isOver((await this.#shown()).state)) this.#ends();
  }

  /** A store that is full, slow or stuck for a while ends no wait: the question is asked again. */
  async #shown(): Promise<ExperimentSummary> {
    for (;;) {
      try {
        return await this.#steering.show();
      } catch (error) {
        const retryAfterMs = error instanceof CommandFailed ? error.retryAfterMs : null;
        if (retryAfterMs === null) throw error;
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      }
    }
  }

  /** How it stands now. */
  show(): Promise<ExperimentSummary> {
    return this.#steering.show();
  }

  /** Cancels what has no outcome; it proposes no more. */
  cancel(): Promise<void> {
    return this.#steering.command("cancel");
  }

  /** Proposes no more until it is resumed; what runs is finished. */
  pause(): Promise<void> {
    return this.#steering.command("pause");
  }

  resume(): Promise<void> {
    return this.#steering.command("resume");
  }

  /** Stops listening. Readers end. */
  close(): void {
    this.#isListening = false;
    this.#router.unlisten(this.id, this);
    for (const reader of this.#readers) reader.close();
  }

  change(change: Change): void {
    for (const reader of this.#readers) reader.push(change);
    if (change.kind === "ended") this.#callbacks.onTrial?.(change);
    if (change.kind !== "experiment") return;
    this.#callbacks.onState?.(change.state, change.reason);
    if (isOver(change.state)) this.#ends();
  }

  flush(): void {}

  broken(error: Error): void {
    this.#broken = error;
    for (const reader of this.#readers) reader.close(error);
    for (const { reject } of this.#overWaiters.splice(0)) reject(error);
  }

  #ends(): void {
    this.#isOver = true;
    this.close();
    for (const { resolve } of this.#overWaiters.splice(0)) resolve();
  }

  #over(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => this.#overWaiters.push({ resolve, reject }));
  }
}
