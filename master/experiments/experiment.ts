/**
 * One experiment: proposes when a slot is free, tells its optimizer when an outcome is durable, ends by its budget.
 *
 * Promise: a restart folds the stored history and proposes nothing again; with one slot, the same seed gives the same
 * search.
 * Not here: the fold itself (search_fold.ts), how trials are run (the cluster).
 *
 * @module
 */
import type { Actor, Context, Start } from "../../shared/actor/actor.ts";
import type { ExperimentState, ExperimentSummary } from "../../shared/model/experiment.ts";
import { decode, encode } from "../../shared/protocol/codec.ts";
import type { ClusterToSource, CommandReply } from "../cluster/messages.ts";
import type { StoreAnswer } from "../store/messages.ts";
import type { StoreChange } from "../store/store.ts";
import { beginning } from "./beginning.ts";
import { counted, reachesTarget, trialLimit } from "./budget.ts";
import { FailureStreak, isUntoldFault } from "./failure_streak.ts";
import { ASK_AGAIN_MS, HistoryReader } from "./history.ts";
import type { ExperimentMessage, ExperimentOptions, Steering } from "./messages.ts";
import { type NewTrial, SearchFold } from "./search_fold.ts";
import { hasEnded } from "./refusals.ts";
import { StoreCommits } from "./store_commits.ts";
import { templateOf } from "./template.ts";

/** How often a changed experiment is shown anew. */
const PUBLISH_EVERY_MS = 50;
/** Longest wait of a timer; longer budgets are looked at again. */
const TIMER_MAX_MS = 86_400_000;

/** An experiment's actor. */
export function experiment(options: ExperimentOptions): Start<ExperimentMessage> {
  return (context) => new Experiment(context, options);
}

class Experiment implements Actor<ExperimentMessage> {
  readonly #context: Context<ExperimentMessage>;
  readonly #options: ExperimentOptions;
  readonly #fold: SearchFold;
  readonly #history: HistoryReader;
  #state: ExperimentState;
  #reason: string;
  /** Why no slot is offered to it. */
  #waiting = "";
  /** `reading` its history, then `searching`; `ending` proposes no more and waits for open trials; `over`. */
  #phase: "reading" | "searching" | "ending" | "over" = "reading";
  #early: Extract<ClusterToSource, { type: "ended" }>[] = [];
  #publishing = false;
  readonly #failureStreak: FailureStreak;
  /** State changes that were asked of the store, and the last of them that holds here. */
  #changes = 0;
  #applied = 0;
  readonly #commits: StoreCommits;
  /** Who waits to hear that it is cancelled. */
  readonly #cancelling: Steering[] = [];
  /** Words that came while its end was on its way to the disk. */
  readonly #late: Steering[] = [];
  #afterGone: ((commit: number) => void) | undefined;

  constructor(context: Context<ExperimentMessage>, options: ExperimentOptions) {
    this.#context = context;
    this.#options = options;
    this.#fold = new SearchFold(options.spec);
    this.#failureStreak = new FailureStreak(options.spec.maxFailures);
    this.#commits = new StoreCommits(context, options.store);
    this.#history = new HistoryReader(context, options.store, options.group, this.#fold);
    this.#state = options.state;
    this.#reason = options.reason;
    context.send(options.registrar, {
      type: "experiment_up",
      group: options.group,
      experiment: context.self,
    });
    context.send(options.cluster, {
      type: "source_opened",
      source: context.self,
      group: options.group,
      template: templateOf(options.spec),
      minWorkers: options.spec.minWorkers,
      maxConcurrent: options.spec.maxConcurrent ?? null,
    });
    this.#watchTime();
  }

  receive(message: ExperimentMessage): void {
    switch (message.type) {
      case "wanted":
        return this.#propose(message.count);
      case "ended":
        if (this.#phase === "reading") this.#early.push(message);
        else this.#ended(message);
        return;
      case "attempt_failed":
        return this.#countFailure(message.message);
      case "reported":
        return;
      case "waiting":
        this.#waiting = message.reason;
        return this.#publish();
      case "source_accepted":
        return this.#history.ask(), this.#readOn();
      case "source_gone":
        return this.#afterGone?.(message.commit);
      case "pause":
      case "resume":
      case "cancel_experiment":
        return this.#steer(message);
      case "time_over":
        return this.#watchTime();
      case "publish":
        if (this.#phase === "reading" && !this.#publishing) return this.#history.ask();
        this.#publishing = false;
        return this.#context.send(this.#options.registrar, {
          type: "experiment_changed",
          summary: this.#summary(),
        });
      case "committed":
      case "answer":
      case "recovered":
      case "backed_up":
      case "store_state":
        return this.#storeSaid(message);
    }
  }

  #storeSaid(message: StoreAnswer): void {
    if (message.type === "committed") return this.#commits.answered(message);
    if (message.type !== "answer") return;
    if (this.#history.answered(message)) return this.#readOn();
    // The store is slow or broken for now: the question is asked again.
    this.#context.after(ASK_AGAIN_MS, { type: "publish" });
  }

  #readOn(): void {
    if (!this.#history.done || this.#phase !== "reading") return;
    this.#phase = "searching";
    for (const message of this.#early) this.#ended(message);
    this.#early = [];
    this.#publish();
    this.#endIfDone();
    this.#context.send(this.#options.cluster, { type: "source_wants", group: this.#options.group });
  }

  #propose(count: number): void {
    const trials: NewTrial[] = [];
    while (trials.length < count && this.#mayPropose()) {
      const next = this.#fold.next();
      if (next === "wait") break;
      if (next === "exhausted") {
        this.#end("the space has no further candidates");
        break;
      }
      trials.push(next);
    }
    const { cluster, group } = this.#options;
    const first = trials[0];
    if (first !== undefined) {
      this.#context.send(cluster, {
        type: "source_submits",
        group,
        first: first.number,
        payloads: trials.map((trial) => trial.payload),
        trials: trials.map((trial) => trial.row),
      });
      this.#publish();
    }
    if (trials.length < count) {
      this.#context.send(cluster, { type: "source_declines", group, count: count - trials.length });
    }
    this.#endIfDone();
  }

  #mayPropose(): boolean {
    if (this.#phase !== "searching" || this.#state !== "running") return false;
    const limit = trialLimit(this.#options.spec);
    return limit === undefined || counted(this.#fold.counts) + this.#fold.openCount < limit;
  }

  #ended(message: Extract<ClusterToSource, { type: "ended" }>): void {
    if (!this.#fold.isOpen(message.number)) return;
    const { outcome } = message;
    const missing = this.#fold.ended(message.number, outcome, message.attempts);
    if (missing !== undefined) this.#countFailure(`the evaluator returned no metric "${missing}"`);
    else if (outcome.state === "completed") this.#failureStreak.succeeded();
    else if (outcome.state === "failed" && isUntoldFault(outcome)) this.#countFailure(outcome.message);
    this.#publish();
    this.#endIfDone();
  }

  #countFailure(message: string): void {
    if (this.#state !== "running") return;
    const reason = this.#failureStreak.failed(message);
    if (reason !== undefined) this.#changeState("paused", reason);
  }

  #endIfDone(): void {
    if (this.#phase === "reading") return;
    // Also after a restart: the life before may have ended when the outcome was durable and the end was not.
    if (reachesTarget(this.#options.spec, this.#fold.bestScore)) return this.#reachedTarget();
    const limit = trialLimit(this.#options.spec);
    if (limit !== undefined && counted(this.#fold.counts) >= limit) this.#end("");
    if (this.#phase !== "ending" || this.#fold.openCount > 0 || this.#state !== "running") return;
    this.#phase = "over";
    this.#changeState("completed", this.#reason, () => this.#leave());
  }

  #end(reason: string): void {
    if (this.#phase !== "searching") return;
    this.#phase = "ending";
    this.#reason = reason;
  }

  #reachedTarget(): void {
    if (this.#phase === "over") return;
    this.#closeWith("completed", "the target was reached", undefined);
  }

  #watchTime(): void {
    const { time } = this.#options.spec.budget;
    if (time === undefined || this.#phase === "over") return;
    const leftMs = this.#options.createdAtMs + time - this.#context.wallClock();
    if (leftMs > 0) {
      this.#context.after(Math.min(leftMs, TIMER_MAX_MS), { type: "time_over" });
      return;
    }
    if (this.#phase === "reading") {
      this.#context.after(ASK_AGAIN_MS, { type: "time_over" });
      return;
    }
    this.#end("its time is over");
    this.#endIfDone();
  }

  #steer(steering: Steering): void {
    if (this.#phase === "over") return this.#steerEnded(steering);
    if (steering.type === "cancel_experiment") {
      return this.#closeWith("cancelled", "a user cancelled it", steering);
    }
    const state = steering.type === "pause" ? "paused" : "running";
    const reason = steering.type === "pause" ? "a user paused it" : "";
    this.#commitSteering(steering, state, reason);
  }

  /** A command that comes again changes nothing again: only the store knows, so its word is waited for. */
  #commitSteering(steering: Steering, state: "paused" | "running", reason: string): void {
    const value = { experiment: this.#options.group, state };
    const number = ++this.#changes;
    this.#commits.command(steering.id, value, [this.#stateChange(state, reason)], (verdict, commit) => {
      if (verdict.type === "repeated") return this.#answerRepeated(steering, verdict.reply, commit);
      // What has happened to it since was stored after this, and holds.
      if (number > this.#applied && this.#phase !== "over") this.#enter(state, reason, number);
      this.#publish();
      this.#answer(steering, { ok: true, value, commit });
    });
  }

  /** A cancellation that comes again before the first is durable is answered with it. */
  #steerEnded(steering: Steering): void {
    if (steering.type === "cancel_experiment" && this.#cancelling.length > 0) this.#cancelling.push(steering);
    else this.#late.push(steering);
  }

  #answerRepeated(steering: Steering, reply: Uint8Array, commit: number): void {
    const value = decode(reply);
    this.#answer(steering, value === null ? hasEnded(this.#options.group) : { ok: true, value, commit });
  }

  #answer(steering: Steering, reply: CommandReply): void {
    this.#context.send(steering.from, { type: "command_answered", token: steering.token, reply });
  }

  /** The state holds at once in memory. @param then called when it is durable */
  #changeState(state: ExperimentState, reason: string, then?: (commit: number) => void): void {
    this.#commits.commit(this.#stateChange(state, reason), (_verdict, commit) => {
      this.#publish();
      then?.(commit);
    });
    this.#enter(state, reason, ++this.#changes);
  }

  #enter(state: ExperimentState, reason: string, number: number): void {
    this.#applied = number;
    this.#state = state;
    this.#reason = reason;
    // At once: should this life end before the next publication, the next one begins as this one stood.
    this.#tellRegistrar();
    if (state !== "running") return;
    if (this.#phase === "searching") {
      this.#context.send(this.#options.cluster, { type: "source_wants", group: this.#options.group });
    }
    this.#endIfDone();
  }

  /** Ends with open trials cancelled, in one request. */
  #closeWith(state: "completed" | "cancelled", reason: string, steering: Steering | undefined): void {
    this.#phase = "over";
    this.#state = state;
    this.#reason = reason;
    const value = { experiment: this.#options.group, state };
    const command: StoreChange[] = steering === undefined
      ? []
      : [{ type: "command", id: steering.id, reply: encode(value), changes: [] }];
    if (steering !== undefined) this.#cancelling.push(steering);
    this.#afterGone = (commit) => {
      for (const each of this.#cancelling) this.#answer(each, { ok: true, value, commit });
      this.#part();
    };
    this.#context.send(this.#options.cluster, {
      type: "source_closed",
      group: this.#options.group,
      cancelOpen: true,
      changes: [...command, this.#stateChange(state, reason)],
    });
  }

  #stateChange(state: ExperimentState, reason: string): StoreChange {
    return {
      type: "experiment_state",
      experiment: this.#options.group,
      state,
      reason,
      atMs: this.#context.wallClock(),
    };
  }

  #leave(): void {
    const { cluster, group } = this.#options;
    this.#context.send(cluster, { type: "source_closed", group, cancelOpen: false, changes: [] });
    this.#part();
  }

  /** Who spoke too late is answered by the registrar, who asks the store. */
  #part(): void {
    const { registrar, group } = this.#options;
    this.#tellRegistrar();
    for (const { type, id, from, token } of this.#late) {
      this.#context.send(registrar, { type, group, id, from, token });
    }
    this.#context.exit();
  }

  #publish(): void {
    if (this.#publishing) return;
    this.#publishing = true;
    this.#context.after(PUBLISH_EVERY_MS, { type: "publish" });
  }

  #tellRegistrar(): void {
    this.#context.send(this.#options.registrar, { type: "experiment_changed", summary: this.#summary() });
  }

  #summary(): ExperimentSummary {
    const { group, spec, createdAtMs } = this.#options;
    return {
      ...beginning(group, spec, createdAtMs),
      state: this.#state,
      reason: this.#state === "running" && this.#reason === "" ? this.#waiting : this.#reason,
      trials: { ...this.#fold.counts },
      open: this.#fold.openCount,
      attempts: this.#fold.attempts,
      best: this.#fold.best,
      seconds: Math.max(0, this.#context.wallClock() - createdAtMs) / 1_000,
    };
  }
}
