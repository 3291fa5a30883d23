/**
 * The correspondent: gives commands to the link and hands each reply to who asked.
 *
 * Promise: each command is answered once, by its reply or by why there will be none.
 *
 * @module
 */
import { System } from "../shared/actor/system.ts";
import type { Ref } from "../shared/actor/actor.ts";
import { type CommandId, commandId } from "../shared/model/ids.ts";
import { RealLoop } from "../shared/platform/real_loop.ts";
import {
  type ChangeEnvelope,
  type CommandBody,
  commandBody,
  type CommandError,
  type OutputEnvelope,
  type Reply,
  type Snapshot,
} from "../shared/protocol/client_envelopes.ts";
import { CommandFailed } from "./command_failed.ts";
import { clientLink } from "./link.ts";
import type { Dialer, LinkEvents, LinkMessage, LinkState } from "./link_messages.ts";

/** Called once: with the value of the reply, or with why there is none. */
export type Answered = (error: CommandFailed | undefined, value: unknown) => void;

/** What a correspondent tells beside replies. */
export interface CorrespondentEvents {
  state(state: LinkState): void;
  told(envelope: Snapshot | ChangeEnvelope): void;
  output(envelope: OutputEnvelope): void;
  delayed(error: CommandError): void;
  /** A subscription has ended by itself; without a name, all of them have. */
  broken(subscription: string | undefined, error: CommandFailed): void;
}

/** One client's way to its master. */
export class Correspondent implements LinkEvents {
  readonly #system: System;
  readonly #link: Ref<LinkMessage>;
  readonly #events: CorrespondentEvents;
  readonly #waiting = new Map<CommandId, Answered>();
  /** Commands of two clients never have the same id. */
  readonly #mark = crypto.randomUUID().replaceAll("-", "");
  #nextCommand = 1;
  #end: CommandFailed | undefined;
  readonly #ended: Promise<void>;

  constructor(masters: readonly string[], token: string, dialer: Dialer, events: CorrespondentEvents) {
    this.#events = events;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#system = new System(new RealLoop(), this.#mark, {
      rootExited: (reason) => {
        const isBug = reason.type === "crashed";
        this.#finish(isBug ? failed("crashed", `the client's link crashed: ${reason.message}`) : CLOSED);
        resolve();
      },
    });
    this.#link = this.#system.start("link", clientLink({ masters, token, dialer, events: this }));
  }

  /** Gives a command. One that fits no envelope is not sent: the master would end the session, and all that waits in it. */
  command(body: CommandBody, answered: Answered): void {
    const problem = this.#end ?? problemOf(body);
    if (problem !== undefined) return answered(problem, undefined);
    const id = commandId(`${this.#mark}-${this.#nextCommand++}`);
    this.#waiting.set(id, answered);
    this.send({ type: "command", id, body });
  }

  send(message: LinkMessage): void {
    this.#system.post(this.#link, message);
  }

  /** Says goodbye. What is not answered by then fails. */
  close(): Promise<void> {
    this.send({ type: "close" });
    return this.#ended;
  }

  state(state: LinkState): void {
    if (state.type === "ended") {
      const isClosed = state.reason === "closed";
      this.#finish(isClosed ? CLOSED : failed("refused", `the master refused: ${state.message}`));
    }
    this.#events.state(state);
  }

  replied(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const answered = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.ok) answered?.(undefined, reply.value);
      else answered?.(new CommandFailed(reply.error), undefined);
    }
  }

  told(envelopes: readonly (Snapshot | ChangeEnvelope)[]): void {
    for (const envelope of envelopes) this.#events.told(envelope);
  }

  output(envelope: OutputEnvelope): void {
    this.#events.output(envelope);
  }

  delayed(_id: CommandId, error: CommandError): void {
    this.#events.delayed(error);
  }

  broken(subscription: string, message: string): void {
    this.#events.broken(subscription, failed("log_broken", message));
  }

  #finish(error: CommandFailed): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#events.broken(undefined, error);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const answered of waiting) answered(error, undefined);
  }
}

const CLOSED = failed("closed", "the client was closed");

function problemOf(body: CommandBody): CommandFailed | undefined {
  const issue = commandBody.safeParse(body).error?.issues[0];
  if (issue === undefined) return undefined;
  return new CommandFailed({ code: "bad_command", message: issue.message, path: issue.path.join(".") });
}

function failed(code: string, message: string): CommandFailed {
  return new CommandFailed({ code, message });
}
