/**
 * Questions to the store, each with what to do with its answer.
 *
 * Promise: each question is answered once, by the one function or the other.
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import type { CommandError } from "../../shared/protocol/client_envelopes.ts";
import type { QueryMessage, StoreAnswer, StoreMessage } from "../store/messages.ts";
import type { Queries, StoreResult } from "../store/store.ts";
import { backupFailed, storeFailed } from "./command_errors.ts";
import type { CommandsMessage } from "./messages.ts";

/** What commands ask. */
interface Asked {
  readonly experiments: Queries["experiments"];
  readonly experiment: Queries["experiment"];
  readonly trials: Queries["trials"];
  readonly counts: Queries["counts"];
  readonly curve: Queries["curve"];
  readonly files: Queries["files"];
}

type Kind = keyof Asked;

/** What was asked and is not answered, by kind and token: an answer says its kind, so no type is lost on the way. */
type Waiting = { readonly [K in Kind]: Map<number, (result: StoreResult<Asked[K]["answer"]>) => void> };

/** The part of a question that is the same in all. */
interface QuestionHead {
  readonly type: "query";
  readonly from: Ref<StoreAnswer>;
  readonly token: number;
}

/** Asks on behalf of an actor that hands it the answers. */
export class StoreQuestions {
  readonly #context: Context<CommandsMessage>;
  readonly #store: Ref<StoreMessage>;
  readonly #waiting: Waiting = {
    experiments: new Map(),
    experiment: new Map(),
    trials: new Map(),
    counts: new Map(),
    curve: new Map(),
    files: new Map(),
  };
  readonly #backups = new Map<number, (result: StoreResult<{ readonly bytes: number }>) => void>();
  #nextToken = 1;

  constructor(context: Context<CommandsMessage>, store: Ref<StoreMessage>) {
    this.#context = context;
    this.#store = store;
  }

  /** @param question adds the kind, the same as the first argument, and its words */
  ask<K extends Kind>(
    kind: K,
    question: (head: QuestionHead) => QueryMessage,
    found: (answer: Asked[K]["answer"]) => void,
    failed: (error: CommandError) => void,
  ): void {
    const token = this.#nextToken++;
    this.#waiting[kind].set(token, eitherWay(found, failed));
    this.#context.send(this.#store, question({ type: "query", from: this.#context.self, token }));
  }

  backup(
    path: string,
    found: (answer: { readonly bytes: number }) => void,
    failed: (error: CommandError) => void,
  ): void {
    const token = this.#nextToken++;
    this.#backups.set(
      token,
      (result) => result.ok ? found(result.value) : failed(backupFailed(result.error)),
    );
    this.#context.send(this.#store, { type: "backup", from: this.#context.self, token, path });
  }

  answered(answer: Extract<StoreAnswer, { readonly type: "answer" | "backed_up" }>): void {
    if (answer.type === "backed_up") return land(this.#backups, answer);
    switch (answer.kind) {
      case "experiments":
        return land(this.#waiting.experiments, answer);
      case "experiment":
        return land(this.#waiting.experiment, answer);
      case "trials":
        return land(this.#waiting.trials, answer);
      case "counts":
        return land(this.#waiting.counts, answer);
      case "curve":
        return land(this.#waiting.curve, answer);
      case "files":
        return land(this.#waiting.files, answer);
      default:
        return;
    }
  }
}

function eitherWay<T>(
  found: (answer: T) => void,
  failed: (error: CommandError) => void,
): (result: StoreResult<T>) => void {
  return (result) => result.ok ? found(result.value) : failed(storeFailed(result.error));
}

function land<T>(
  waiting: Map<number, (result: StoreResult<T>) => void>,
  { token, result }: { readonly token: number; readonly result: StoreResult<T> },
): void {
  const answer = waiting.get(token);
  waiting.delete(token);
  answer?.(result);
}
