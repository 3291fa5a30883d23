/**
 * A client: a person or a program that gives commands, reads the log, and does not forget what it asked for.
 *
 * Watches: an acknowledged submission is durable and there once; a repeated command is answered by its first reply; the
 * log is complete.
 *
 * @module
 */
import type { Ref } from "../../../shared/actor/actor.ts";
import type { System } from "../../../shared/actor/system.ts";
import { type CommandId, commandId } from "../../../shared/model/ids.ts";
import type {
  ChangeEnvelope,
  CommandBody,
  Reply,
  Snapshot,
} from "../../../shared/protocol/client_envelopes.ts";
import { clientLink } from "../../../client/link.ts";
import type { LinkEvents, LinkMessage, LinkState } from "../../../client/link_messages.ts";
import { checkReply } from "../checkers/replies.ts";
import { LogReader } from "../checkers/log_reader.ts";
import type { SimulatedProcess } from "../process.ts";
import { Node } from "./node.ts";

/** Something that was asked, and its reply. */
export interface Request {
  readonly id: CommandId;
  readonly body: CommandBody;
  readonly answered: ((reply: Reply) => void) | undefined;
  reply: Reply | undefined;
}

/** One client. */
export class ClientNode extends Node implements LinkEvents {
  readonly requests = new Map<CommandId, Request>();
  /** What the person in front of it was told of losses. */
  readonly warnings: string[] = [];
  #link: Ref<LinkMessage> | undefined;
  #log: LogReader | undefined;
  #subscription = "";
  #logs = 0;
  /** The epoch of the master that tells the log. */
  #logEpoch = "";
  /** The life of the store whose log is read. */
  #logLife = 0;

  /** Whether every request has its reply and the log is read. */
  get isDone(): boolean {
    if (this.#log?.hasAll !== true) return false;
    for (const { reply } of this.requests.values()) if (reply === undefined) return false;
    return true;
  }

  get unanswered(): readonly string[] {
    return [...this.requests.values()].filter((each) => each.reply === undefined).map((each) =>
      `${each.id} ${each.body.kind}`
    );
  }

  /** Gives a command, and after a restart again until it is answered. */
  ask(body: CommandBody, answered?: (reply: Reply) => void): void {
    const request: Request = {
      id: commandId(`${this.name}-${this.requests.size + 1}`),
      body,
      answered,
      reply: undefined,
    };
    this.requests.set(request.id, request);
    this.#send(request);
  }

  state(state: LinkState): void {
    if (state.type !== "ended") return;
    this.warnings.push(state.message);
    // Where the store was lost the person in front of it must know: the program ends with words that say so.
    const isLoss = this.world.storeLives.life > 0 && /store|commit/.test(state.message);
    this.world.findings.expect(
      "peers_stay",
      isLoss,
      () => `${this.name} was sent away: ${JSON.stringify(state)}`,
    );
  }

  replied(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const request = this.requests.get(reply.id);
      if (request === undefined) continue;
      this.world.trace.add(`${this.name} reply ${reply.id} ${reply.ok ? "ok" : reply.error.code}`);
      checkReply(this.world, request, reply);
      const isFirst = request.reply === undefined;
      request.reply ??= reply;
      if (isFirst) request.answered?.(reply);
    }
  }

  told(envelopes: readonly (Snapshot | ChangeEnvelope)[]): void {
    for (const envelope of envelopes) {
      if (envelope.subscription !== this.#subscription) continue;
      if (envelope.type === "snapshot") this.#logEpoch = envelope.epoch;
      else this.#log?.told(envelope, this.world.storeLives.isPresent(this.#logEpoch));
    }
  }

  delayed(): void {}

  broken(subscription: string, message: string): void {
    this.warnings.push(message);
    const isLoss = this.world.storeLives.life > this.#logLife && /store|commit/.test(message);
    this.world.findings.expect("log_complete", isLoss, () => `${this.name} lost ${subscription}: ${message}`);
    if (isLoss) this.#readLog(0);
  }

  protected override begin(process: SimulatedProcess, system: System): void {
    const { network } = this.world;
    this.#link = system.start(
      "link",
      clientLink({
        masters: ["ws://master/socket"],
        token: "token",
        dialer: network.dialer(process, "admin"),
        events: this,
      }),
    );
    // A program that comes back begins anew, or where it was.
    const random = this.world.random("client", this.name, String(this.life));
    const isAnew = random.integer(2) === 0 || this.#logLife !== this.world.storeLives.life;
    this.#readLog(isAnew ? 0 : this.#log?.commit ?? 0);
    for (const request of this.requests.values()) {
      // What was answered is asked again now and then, as a program does that was killed before it wrote the answer down.
      if (request.reply === undefined || random.integer(5) === 0) this.#send(request);
    }
  }

  protected override ended(): void {
    this.#link = undefined;
  }

  #readLog(after: number): void {
    const { findings, facts, storeLives } = this.world;
    this.#logLife = storeLives.life;
    this.#subscription = `log-${this.life}-${++this.#logs}`;
    this.#log = new LogReader(`${this.name}/${this.#subscription}`, findings, () => facts.feed, after);
    if (this.#link === undefined) return;
    this.system?.post(this.#link, { type: "subscribe", id: this.#subscription, kind: "log", after });
  }

  #send({ id, body }: Request): void {
    if (this.#link !== undefined) this.system?.post(this.#link, { type: "command", id, body });
  }
}
