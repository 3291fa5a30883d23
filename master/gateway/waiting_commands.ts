/**
 * Commands that wait for their answers: how many of each session, and for how long.
 *
 * Promise: whoever asked is answered once and within a deadline, by who knows the answer or with why nobody does; what
 * is carried out so late that its asker was told so is counted too, so that nothing grows behind a store that hangs.
 *
 * @module
 */
import type { Context } from "../../shared/actor/actor.ts";
import type { CommandBody } from "../../shared/protocol/client_envelopes.ts";
import type { CommandReply } from "../cluster/messages.ts";
import { late } from "./command_errors.ts";
import type { CommandsMessage } from "./messages.ts";

/** Whoever only asks is answered within this time: by then a person wonders. */
export const QUESTION_DEADLINE_MS = 5_000;
/** Whoever wants something changed is told to come again after this time. The change may still be carried out, once. */
export const CHANGE_DEADLINE_MS = 20_000;
/** Answers that are so late that nobody waits for them any more; over this nothing more is taken on. */
export const LATE_MAX = 2_000;
/** What has no answer after this time will never have one: whoever had it began anew. */
const LATE_FORGET_MS = 86_400_000;
/** How often the deadlines are looked at. */
const LOOK_EVERY_MS = 500;

type Kind = CommandBody["kind"];

/** They ask, and change nothing. */
const QUESTIONS: ReadonlySet<Kind> = new Set([
  "experiments",
  "experiment",
  "trials",
  "counts",
  "workers",
  "explain",
]);

interface Waiting {
  readonly kind: Kind;
  readonly session: number;
  /** On the attentive clock: who was not running is not late. */
  dueMs: number;
  /** Undefined once it was told that there is none yet. */
  answer: ((reply: CommandReply) => void) | undefined;
}

/** What waits for an answer, in the order in which it came. */
export class WaitingCommands {
  readonly #context: Context<CommandsMessage>;
  readonly #waiting = new Set<Waiting>();
  readonly #bySession = new Map<number, number>();
  #late = 0;
  #isLooking = false;

  constructor(context: Context<CommandsMessage>) {
    this.#context = context;
  }

  /** Those whose askers wait. */
  get size(): number {
    return this.#waiting.size - this.#late;
  }

  /** Whether so many answers are late that whoever owes them does not work. */
  get isStuck(): boolean {
    return this.#late >= LATE_MAX;
  }

  /** How many of a session wait. */
  of(session: number): number {
    return this.#bySession.get(session) ?? 0;
  }

  /** @returns what is to be called with the answer; all calls but the first are without effect */
  add(session: number, kind: Kind, answer: (reply: CommandReply) => void): (reply: CommandReply) => void {
    const waiting: Waiting = {
      kind,
      session,
      dueMs: this.#context.attentiveNow() + deadlineOf(kind),
      answer,
    };
    this.#waiting.add(waiting);
    this.#bySession.set(session, this.of(session) + 1);
    this.#lookLater();
    return (reply) => this.#answered(waiting, reply);
  }

  /** Looks at the deadlines. @param trouble why the store cannot be relied on; empty where it can */
  look(trouble: string): void {
    this.#isLooking = false;
    const nowMs = this.#context.attentiveNow();
    for (const waiting of this.#waiting) {
      if (waiting.dueMs > nowMs) continue;
      if (waiting.answer === undefined) this.#forget(waiting);
      else this.#tellLate(waiting, trouble, nowMs);
    }
    this.#lookLater();
  }

  #answered(waiting: Waiting, reply: CommandReply): void {
    if (!this.#waiting.has(waiting)) return;
    const { answer } = waiting;
    this.#forget(waiting);
    answer?.(reply);
  }

  #tellLate(waiting: Waiting, trouble: string, nowMs: number): void {
    const { answer, kind, session } = waiting;
    waiting.answer = undefined;
    waiting.dueMs = nowMs + LATE_FORGET_MS;
    this.#late += 1;
    this.#landed(session);
    answer?.(late(QUESTIONS.has(kind) ? "question" : "change", deadlineOf(kind), trouble));
  }

  #forget(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return;
    if (waiting.answer === undefined) this.#late -= 1;
    else this.#landed(waiting.session);
  }

  #landed(session: number): void {
    const left = this.of(session) - 1;
    if (left <= 0) this.#bySession.delete(session);
    else this.#bySession.set(session, left);
  }

  #lookLater(): void {
    if (this.#isLooking || this.#waiting.size === 0) return;
    this.#isLooking = true;
    this.#context.after(LOOK_EVERY_MS, { type: "look_at_deadlines" });
  }
}

/** A backup takes as long as it takes. */
function deadlineOf(kind: Kind): number {
  if (kind === "backup") return Infinity;
  return QUESTIONS.has(kind) ? QUESTION_DEADLINE_MS : CHANGE_DEADLINE_MS;
}
