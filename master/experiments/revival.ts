/**
 * Revival: an experiment that was parked as broken is tried again when a user resumes it.
 *
 * Promise: whoever resumes is answered: when it goes on, or with why it does not.
 * Not here: what breaks an experiment (its supervisor), how it begins (registrar.ts).
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import type { ExperimentState, ExperimentSummary } from "../../shared/model/experiment.ts";
import type { GroupId } from "../../shared/model/ids.ts";
import { type Spec, specSchema } from "../../shared/protocol/spec.ts";
import type { CommandReply } from "../cluster/messages.ts";
import type { QueryAnswer, StoreMessage } from "../store/messages.ts";
import type { RegistrarMessage, SteeringMessage } from "./messages.ts";
import { failure, over, unknown } from "./refusals.ts";

/** What follows from the store's word about an experiment. */
export interface RevivalEvents {
  readonly begin: (summary: ExperimentSummary, spec: Spec) => void;
  readonly refuse: (message: SteeringMessage, refusal: CommandReply) => void;
}

/** Looks up what is to be resumed and does not run. */
export class Revival {
  readonly #context: Context<RegistrarMessage>;
  readonly #store: Ref<StoreMessage>;
  readonly #events: RevivalEvents;
  /** Questions to the store, with the state that the registrar knows: it may be newer than the stored one. */
  readonly #asked = new Map<
    number,
    { readonly message: SteeringMessage; readonly known?: ExperimentState }
  >();
  /** Those that begin, and who is to be heard by them first. */
  readonly #beginning = new Map<GroupId, SteeringMessage[]>();
  #nextToken = 1;

  constructor(context: Context<RegistrarMessage>, store: Ref<StoreMessage>, events: RevivalEvents) {
    this.#context = context;
    this.#store = store;
    this.#events = events;
  }

  /** Someone resumes what does not run. */
  ask(message: SteeringMessage, known: ExperimentState | undefined): void {
    const token = this.#nextToken++;
    this.#asked.set(token, known === undefined ? { message } : { message, known });
    this.#context.send(this.#store, {
      type: "query",
      from: this.#context.self,
      token,
      kind: "experiment",
      ask: { experiment: message.group },
    });
  }

  /** The store's word. */
  answered({ token, result }: QueryAnswer<"experiment">): void {
    const asked = this.#asked.get(token);
    this.#asked.delete(token);
    if (asked === undefined) return;
    const { message, known } = asked;
    const { group } = message;
    if (!result.ok) {
      const text = `the store could not answer: ${result.error.message}`;
      return this.#events.refuse(
        message,
        failure("store_fault", text, "", "see /ready of the master; try again"),
      );
    }
    if (result.value === null) return this.#events.refuse(message, unknown(group));
    const { summary, spec } = result.value;
    const state = known ?? summary.state;
    if (state !== "broken") return this.#events.refuse(message, over(group, state));
    const checked = specSchema.safeParse(JSON.parse(spec));
    if (!checked.success) {
      const text = `the stored spec of ${group} does not fit this version: ${checked.error.message}`;
      return this.#events.refuse(message, failure("bad_spec", text, "", "run a spec that does"));
    }
    const waiting = this.#beginning.get(group);
    if (waiting !== undefined) return void waiting.push(message);
    this.#beginning.set(group, [message]);
    this.#events.begin(summary, checked.data);
  }

  /** It has begun, or broke again: who waits for that, once. */
  taken(group: GroupId): readonly SteeringMessage[] {
    const waiting = this.#beginning.get(group) ?? [];
    this.#beginning.delete(group);
    return waiting;
  }
}
