/**
 * What the main thread and the store's thread say to each other.
 *
 * @module
 */
import type { Epoch } from "../../../shared/model/ids.ts";
import type { Committed, Queries, StoreResult, StoreVerdict } from "../store.ts";
import type { Packed } from "./packing.ts";

/** The first message: which folder is meant. */
export interface ThreadStart {
  readonly type: "start";
  readonly folder: string;
}

/** What the thread is asked to do. */
export type ThreadRequest =
  | { readonly type: "open"; readonly renew: boolean }
  | { readonly type: "commit"; readonly epoch: Epoch; readonly batch: number; readonly changes: Packed }
  | { readonly type: "query"; readonly kind: keyof Queries; readonly ask: Queries[keyof Queries]["ask"] }
  | { readonly type: "close" };

/** A request with the number that its answer carries. */
export interface Numbered {
  readonly id: number;
  readonly request: ThreadRequest;
}

/** An answer. */
export interface ThreadAnswer {
  readonly id: number;
  readonly result: StoreResult<unknown>;
}

/** A commit's verdicts without those that say no more than `recorded`: nearly all of them. */
export interface PackedCommitted {
  readonly commit: number;
  readonly count: number;
  readonly others: readonly (readonly [index: number, verdict: StoreVerdict])[];
}

const RECORDED: StoreVerdict = { type: "recorded" };

/** Takes the common verdicts out. */
export function packCommitted({ commit, verdicts }: Committed): PackedCommitted {
  const others: [number, StoreVerdict][] = [];
  for (const [index, verdict] of verdicts.entries()) {
    if (!isPlain(verdict)) others.push([index, verdict]);
  }
  return { commit, count: verdicts.length, others };
}

/** Puts the common verdicts back. */
export function unpackCommitted({ commit, count, others }: PackedCommitted): Committed {
  const verdicts = new Array<StoreVerdict>(count).fill(RECORDED);
  for (const [index, verdict] of others) verdicts[index] = verdict;
  return { commit, verdicts };
}

function isPlain(verdict: StoreVerdict): boolean {
  return verdict.type === "recorded" && verdict.again === undefined && verdict.nested === undefined &&
    verdict.name === undefined && verdict.known === undefined;
}
