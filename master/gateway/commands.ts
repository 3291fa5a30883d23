/**
 * The router of commands.
 *
 * Promise: every command is answered by exactly one `reply`, whatever it is and whoever knows the answer; a role that
 * does not suffice, too many at once, and one whose answer is late are answered too. Replies carry the epoch and a commit
 * number.
 * Not here: the commands' effects (the cluster, the registrar, the store).
 *
 * @module
 */
import type { Actor, Context, Ref, Start } from "../../shared/actor/actor.ts";
import type { CommandBody } from "../../shared/protocol/client_envelopes.ts";
import { type GroupId, type TaskId, taskParts } from "../../shared/model/ids.ts";
import type { Asker, ClusterMessage, CommandReply, Standing } from "../cluster/messages.ts";
import type { RegistrarMessage } from "../experiments/messages.ts";
import type { StoreMessage } from "../store/messages.ts";
import { failure, forbidden, stuck, tooDeep, tooManyCommands } from "./command_errors.ts";
import type { CommandsMessage, FeedMessage } from "./messages.ts";
import { mayAct, roleFor } from "./roles.ts";
import { dependsOnStanding, explained, standingOf, withReason } from "./standing.ts";
import { StoreQueries } from "./store_queries.ts";
import { WaitingCommands } from "./waiting_commands.ts";

/** Commands of one session that wait for their answers; more are refused until some are answered. */
export const COMMANDS_IN_FLIGHT_MAX = 1_000;

/** A spec that nests deeper than this is none, and would overflow the stack of whoever reads it. */
export const SPEC_NESTING_MAX = 100;

/** What the router is given. */
export interface CommandsOptions {
  readonly store: Ref<StoreMessage>;
  readonly cluster: Ref<ClusterMessage>;
  readonly registrar: Ref<RegistrarMessage>;
  readonly feed: Ref<FeedMessage>;
  /** Ends the master once it has let go of what it holds. */
  readonly stopMaster: (graceMs: number) => void;
  readonly inFlightMax?: number;
}

/** Begins a router. */
export function commands(options: CommandsOptions): Start<CommandsMessage> {
  return (context) => new Commands(context, options);
}

type CommandMessage = Extract<CommandsMessage, { readonly type: "command" }>;
type Answer = (reply: CommandReply) => void;

class Commands implements Actor<CommandsMessage> {
  readonly #context: Context<CommandsMessage>;
  readonly #options: CommandsOptions;
  readonly #inFlightMax: number;
  readonly #queries: StoreQueries;
  /** What the cluster and the registrar were asked, by token. */
  readonly #asked = new Map<number, Answer>();
  readonly #waiting: WaitingCommands;
  #nextToken = 1;
  #epoch = "";
  #commit = 0;
  /** Why the store cannot be relied on; empty where it can. */
  #trouble = "";

  constructor(context: Context<CommandsMessage>, options: CommandsOptions) {
    this.#context = context;
    this.#options = options;
    this.#inFlightMax = options.inFlightMax ?? COMMANDS_IN_FLIGHT_MAX;
    this.#queries = new StoreQueries(context, options.store);
    this.#waiting = new WaitingCommands(context);
    context.send(options.feed, { type: "follow", from: context.self });
  }

  receive(message: CommandsMessage): void {
    switch (message.type) {
      case "command":
        return this.#command(message);
      case "command_answered": {
        const answer = this.#asked.get(message.token);
        this.#asked.delete(message.token);
        return answer?.(message.reply);
      }
      case "answer":
      case "backed_up":
        return this.#queries.answered(message);
      case "known":
        this.#epoch = message.epoch;
        this.#commit = Math.max(this.#commit, message.commit);
        this.#trouble = message.trouble;
        return;
      case "look_at_deadlines":
        return this.#waiting.look(this.#trouble);
      case "recovered":
      case "committed":
      case "store_state":
        return;
    }
  }

  notes(): Readonly<Record<string, number>> {
    return { waiting: this.#waiting.size };
  }

  #command(message: CommandMessage): void {
    const { session, role, command } = message;
    const suffices = roleFor(command.kind);
    if (!mayAct(role, suffices)) return this.#reply(message, forbidden(command.kind, role, suffices));
    if (this.#waiting.of(session.id) >= this.#inFlightMax) {
      return this.#reply(message, tooManyCommands(this.#inFlightMax));
    }
    if (this.#waiting.isStuck) return this.#reply(message, stuck(this.#trouble));
    const answer = this.#waiting.add(session.id, command.kind, (reply) => this.#reply(message, reply));
    this.#carryOut(command, message, answer);
  }

  #carryOut(command: CommandBody, { id }: CommandMessage, answer: Answer): void {
    const { cluster, registrar } = this.#options;
    switch (command.kind) {
      case "submit": {
        const { name, template, payloads } = command;
        const asker = this.#ask(answer);
        return this.#context.send(cluster, { type: "submit", id, name, template, payloads, ...asker });
      }
      case "run":
        if (!isShallow(command.spec, SPEC_NESTING_MAX)) return answer(tooDeep(SPEC_NESTING_MAX));
        return this.#context.send(registrar, { type: "run", id, spec: command.spec, ...this.#ask(answer) });
      case "pause":
      case "resume": {
        const { kind, group } = command;
        return this.#context.send(registrar, { type: kind, id, group, ...this.#ask(answer) });
      }
      case "cancel":
        return this.#cancel(command, id, answer);
      case "stop":
        return this.#stop(command, answer);
      case "workers":
        return this.#context.send(cluster, { type: "list_workers", ...this.#ask(answer) });
      case "explain":
        return this.#explain(command.task, answer);
      case "experiment":
        return this.#show(command.experiment, answer);
      case "backup":
      case "experiments":
      case "trials":
      case "counts":
      case "curve":
      case "files":
        return this.#queries.carryOut(
          command,
          (value) => answer({ ok: true, value, commit: this.#commit }),
          (error) => answer(failure(error)),
        );
    }
  }

  /** What is stored, with why nothing of it runs, which only its registrar knows. */
  #show(name: string, answer: Answer): void {
    this.#queries.find(name, (found) => {
      this.#standing(found.summary.experiment, (standing) => {
        const value = { ...found, summary: withReason(found.summary, standing) };
        answer({ ok: true, value, commit: this.#commit });
      });
    }, (error) => answer(failure(error)));
  }

  /** The cluster knows why a task waits; why one was not proposed, its experiment may know better. */
  #explain(task: TaskId, answer: Answer): void {
    const asker = this.#ask((reply) => {
      if (!dependsOnStanding(reply)) return answer(reply);
      this.#standing(taskParts(task).group, (standing) => answer(explained(reply, task, standing)));
    });
    this.#context.send(this.#options.cluster, { type: "explain", task, ...asker });
  }

  #standing(group: GroupId, then: (standing: Standing | undefined) => void): void {
    const asker = this.#ask((reply) => then(standingOf(reply)));
    this.#context.send(this.#options.registrar, { type: "standing", group, ...asker });
  }

  /** A whole group may be an experiment, which must propose no more; only its registrar knows. */
  #cancel(command: Extract<CommandBody, { kind: "cancel" }>, id: CommandMessage["id"], answer: Answer): void {
    const { group, number } = command;
    const askCluster = () => {
      const asker = this.#ask(answer);
      this.#context.send(this.#options.cluster, { type: "cancel", id, group, number, ...asker });
    };
    if (number !== null) return askCluster();
    const asker = this.#ask((reply) => {
      if (!reply.ok && reply.error.code === "unknown_experiment") askCluster();
      else answer(reply);
    });
    this.#context.send(this.#options.registrar, { type: "cancel_experiment", id, group, ...asker });
  }

  #stop(command: Extract<CommandBody, { kind: "stop" }>, answer: Answer): void {
    const { target, graceMs } = command;
    if (target !== "master") {
      const asker = this.#ask(answer);
      return this.#context.send(this.#options.cluster, { type: "stop_worker", target, graceMs, ...asker });
    }
    answer({ ok: true, value: { stopping: "master" }, commit: this.#commit });
    this.#options.stopMaster(graceMs);
  }

  #ask(answer: Answer): Asker {
    const token = this.#nextToken++;
    this.#asked.set(token, answer);
    return { from: this.#context.self, token };
  }

  #reply({ session, id }: CommandMessage, reply: CommandReply): void {
    if (reply.ok && reply.commit > this.#commit) {
      this.#commit = reply.commit;
      // So that the feed takes the client's word for it, should it subscribe with what it was told.
      this.#context.send(this.#options.feed, { type: "told", commit: reply.commit });
    }
    const common = { type: "reply", id, epoch: this.#epoch, commit: this.#commit } as const;
    const envelope = reply.ok
      ? { ...common, ok: true as const, value: reply.value }
      : { ...common, ok: false as const, error: reply.error };
    this.#context.send(session, { type: "send", envelopes: [envelope] });
  }
}

/** Whether a value nests at most so deep; looks at it level by level, so that no depth overflows the stack. */
function isShallow(value: unknown, levelsMax: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levelsMax) return false;
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each !== "object" || each === null || ArrayBuffer.isView(each)) continue;
      for (const inner of Object.values(each)) next.push(inner);
    }
    level = next;
  }
  return true;
}
