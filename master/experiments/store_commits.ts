/**
 * What an actor asks of the store, and what it does when that is durable.
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import type { CommandId } from "../../shared/model/ids.ts";
import { encode } from "../../shared/protocol/codec.ts";
import type { StoreAnswer, StoreMessage } from "../store/messages.ts";
import type { StoreChange, StoreVerdict } from "../store/store.ts";

/** The commits of one actor. Its `committed` messages are to be passed on to `answered`. */
export class StoreCommits {
  readonly #context: Context<StoreAnswer>;
  readonly #store: Ref<StoreMessage>;
  readonly #then = new Map<number, (verdict: StoreVerdict, commit: number) => void>();
  #nextToken = 1;

  constructor(context: Context<StoreAnswer>, store: Ref<StoreMessage>) {
    this.#context = context;
    this.#store = store;
  }

  /** @param then is told what became of the change, and with which commit */
  commit(change: StoreChange, then: (verdict: StoreVerdict, commit: number) => void): void {
    const token = this.#nextToken++;
    this.#then.set(token, then);
    this.#context.send(this.#store, { type: "commit", from: this.#context.self, token, changes: [change] });
  }

  /** A command with its effect: where it came before, the verdict is `repeated` and nothing changes. */
  command(
    id: CommandId,
    value: unknown,
    changes: readonly StoreChange[],
    then: (verdict: StoreVerdict, commit: number) => void,
  ): void {
    this.commit({ type: "command", id, reply: encode(value), changes }, then);
  }

  answered({ token, verdicts: [verdict], commit }: Extract<StoreAnswer, { type: "committed" }>): void {
    const then = this.#then.get(token);
    this.#then.delete(token);
    if (verdict !== undefined) then?.(verdict, commit);
  }
}
