/**
 * What the cluster wants durable: gathered over a turn, sent as one request, answered one by one.
 *
 * Promise: each change's continuation runs once, with its verdict, in the order of the changes.
 *
 * @module
 */
import type { StoreChange, StoreVerdict } from "../store/store.ts";

/** Where so many changes wait for the store, nothing more is given out: the disk is behind. */
export const WAITING_CHANGES_MAX = 50_000;

/** What to do when a change is durable. */
export type Continuation = (verdict: StoreVerdict, commit: number) => void;

/** A request that was sent and has no answer. */
interface InFlight {
  readonly sentAtMs: number;
  readonly continuations: readonly (Continuation | undefined)[];
}

/** Changes of one turn and what follows from each. */
export class CommitLog {
  #changes: StoreChange[] = [];
  #continuations: (Continuation | undefined)[] = [];
  readonly #inFlight = new Map<number, InFlight>();
  #nextToken = 1;
  #waiting = 0;

  /** Changes that have no answer yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** More waits than should: what can wait or be left out is. */
  get isBehind(): boolean {
    return this.#waiting > WAITING_CHANGES_MAX;
  }

  /** When the oldest request was sent that has no answer; undefined where there is none. */
  get oldestAtMs(): number | undefined {
    return this.#inFlight.values().next().value?.sentAtMs;
  }

  add(change: StoreChange, continuation?: Continuation): void {
    this.#changes.push(change);
    this.#continuations.push(continuation);
    this.#waiting += 1;
  }

  /** What was gathered since the last call, to be sent to the store; undefined where there is nothing. */
  take(nowMs = 0): { readonly token: number; readonly changes: readonly StoreChange[] } | undefined {
    if (this.#changes.length === 0) return undefined;
    const token = this.#nextToken++;
    const changes = this.#changes;
    this.#inFlight.set(token, { sentAtMs: nowMs, continuations: this.#continuations });
    this.#changes = [];
    this.#continuations = [];
    return { token, changes };
  }

  /** A request is durable. */
  committed(token: number, commit: number, verdicts: readonly StoreVerdict[]): void {
    const { continuations } = this.#inFlight.get(token) ?? {};
    if (continuations === undefined) return;
    this.#inFlight.delete(token);
    this.#waiting -= continuations.length;
    for (let i = 0; i < continuations.length; i++) {
      const verdict = verdicts[i];
      if (verdict === undefined) {
        throw new Error(`the store gave ${verdicts.length} verdicts for ${continuations.length} changes`);
      }
      continuations[i]?.(verdict, commit);
    }
  }
}
