/**
 * Commands that only ask: what the store answers to each.
 *
 * Promise: a name that means nothing is a mistake with advice, never an empty list.
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import { groupId } from "../../shared/model/ids.ts";
import type { CommandBody, CommandError } from "../../shared/protocol/client_envelopes.ts";
import type { StoreAnswer, StoreMessage } from "../store/messages.ts";
import type { Queries } from "../store/store.ts";
import { unknownExperiment, unknownGroup, unknownTask } from "./command_errors.ts";
import type { CommandsMessage } from "./messages.ts";
import { StoreQuestions } from "./store_questions.ts";

/** A command that the store answers. */
export type QueryCommand = Extract<
  CommandBody,
  { kind: "backup" | "experiments" | "experiment" | "trials" | "counts" | "curve" | "files" }
>;

type Found<T> = (value: T) => void;
type Failed = (error: CommandError) => void;

/** Carries out the commands that only ask the store. */
export class StoreQueries {
  readonly #questions: StoreQuestions;

  constructor(context: Context<CommandsMessage>, store: Ref<StoreMessage>) {
    this.#questions = new StoreQuestions(context, store);
  }

  /** The store's word, which the actor that asks hands over. */
  answered(answer: Extract<StoreAnswer, { readonly type: "answer" | "backed_up" }>): void {
    this.#questions.answered(answer);
  }

  /** Calls one of the two, once. */
  carryOut(command: QueryCommand, found: Found<unknown>, failed: Failed): void {
    switch (command.kind) {
      case "backup":
        return this.#questions.backup(command.path, found, failed);
      case "experiments": {
        const { kind, offset, limit } = command;
        return this.#questions.ask(
          kind,
          (head) => ({ ...head, kind, ask: { offset, limit } }),
          found,
          failed,
        );
      }
      case "experiment":
        return this.find(command.experiment, found, failed);
      case "trials":
        return this.#trials(command, found, failed);
      case "counts":
        return this.#counts(command, found, failed);
      case "curve":
        return this.#curve(command, found, failed);
      case "files":
        return this.#files(command, found, failed);
    }
  }

  #trials(command: Extract<QueryCommand, { kind: "trials" }>, found: Found<unknown>, failed: Failed): void {
    const { kind, experiment, after, limit } = command;
    // The experiment first: no trials of one that exists is an answer, and of one that does not is a mistake.
    this.find(experiment, ({ summary }) => {
      const ask = { experiment: summary.experiment, after, limit };
      this.#questions.ask(kind, (head) => ({ ...head, kind, ask }), found, failed);
    }, failed);
  }

  #counts(command: Extract<QueryCommand, { kind: "counts" }>, found: Found<unknown>, failed: Failed): void {
    const { kind, group } = command;
    this.#questions.ask(kind, (head) => ({ ...head, kind, ask: { group } }), (counts) => {
      if (counts.submitted === 0) failed(unknownGroup(group));
      else found(counts);
    }, failed);
  }

  #curve(command: Extract<QueryCommand, { kind: "curve" }>, found: Found<unknown>, failed: Failed): void {
    const { kind, task, after, limit } = command;
    this.#questions.ask(kind, (head) => ({ ...head, kind, ask: { task, after, limit } }), (answer) => {
      if (!answer.known) return failed(unknownTask(task));
      const { parts, reports } = answer;
      found({ parts, points: reports.map(({ step, metrics }) => ({ step, metrics })) });
    }, failed);
  }

  #files(command: Extract<QueryCommand, { kind: "files" }>, found: Found<unknown>, failed: Failed): void {
    const { kind, task, attempt, after, limit } = command;
    this.#questions.ask(
      kind,
      (head) => ({ ...head, kind, ask: { task, attempt, after, limit } }),
      (answer) => {
        if (!answer.known) return failed(unknownTask(task));
        const { lease, files, checkpoints } = answer;
        found({ attempt: lease?.attempt ?? null, epoch: lease?.epoch ?? null, files, checkpoints });
      },
      failed,
    );
  }

  /** An experiment by its id, or the newest. */
  find(name: string, found: Found<NonNullable<Queries["experiment"]["answer"]>>, failed: Failed): void {
    const ask: Queries["experiment"]["ask"] = { experiment: name === "last" ? "last" : groupId(name) };
    this.#questions.ask("experiment", (head) => ({ ...head, kind: "experiment", ask }), (answer) => {
      if (answer === null) failed(unknownExperiment(name));
      else found(answer);
    }, failed);
  }
}
