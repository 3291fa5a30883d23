/**
 * Puts the changes of commits into envelopes that fit into a frame.
 *
 * Promise: every change once and in order; an envelope's `commit` is the last one of which the subscriber has then seen
 * everything, so that it is always right to ask for what comes after it.
 *
 * @module
 */
import type { Change } from "../../shared/model/change.ts";
import type { Metrics } from "../../shared/model/outcome.ts";
import type { ChangeEnvelope } from "../../shared/protocol/client_envelopes.ts";
import type { FeedCommit } from "./recent_commits.ts";

/** Changes in one envelope: a client handles them in one go. */
export const ENVELOPE_CHANGES_MAX = 1_000;
/** Far enough below the limit of a frame that an estimate does. */
export const ENVELOPE_BYTES_MAX = 1024 * 1024;
/** What a change takes beside its texts and metrics: ids of at most 80 characters and the names of its fields. */
const CHANGE_BYTES = 400;
/** A character of UTF-16 takes at most three bytes of UTF-8. */
const CHARACTER_BYTES = 3;
/** A number in msgpack with its type. */
const NUMBER_BYTES = 9;

/**
 * The changes of these commits, in envelopes of one subscription.
 *
 * @param before the commit up to which the subscriber has seen everything
 */
export function changeEnvelopes(
  subscription: string,
  before: number,
  commits: readonly FeedCommit[],
): ChangeEnvelope[] {
  const envelopes: ChangeEnvelope[] = [];
  let open: Change[] = [];
  let bytes = 0;
  let complete = before;
  let begun = 0;
  const close = () => {
    if (open.length === 0) return;
    const envelope: ChangeEnvelope = {
      type: "change",
      subscription,
      commit: complete,
      changes: open,
      entries: [],
    };
    envelopes.push(begun === 0 ? envelope : { ...envelope, begun });
    open = [];
    bytes = begun = 0;
  };
  for (const { commit, changes } of commits) {
    for (const change of changes) {
      const size = bytesOf(change);
      if (open.length >= ENVELOPE_CHANGES_MAX || bytes + size > ENVELOPE_BYTES_MAX) close();
      open.push(change);
      bytes += size;
      begun += 1;
    }
    complete = commit;
    begun = 0;
  }
  close();
  return envelopes;
}

/** At most so many bytes as msgpack. */
function bytesOf(change: Change): number {
  switch (change.kind) {
    case "submitted":
      return CHANGE_BYTES;
    case "ended":
      return CHANGE_BYTES + textBytes(change.message) + textBytes(change.cause) +
        metricsBytes(change.metrics);
    case "attempt_ended":
      return CHANGE_BYTES + textBytes(change.message);
    case "experiment":
      return CHANGE_BYTES + textBytes(change.reason) + textBytes(change.name);
  }
}

function textBytes(text: string | undefined): number {
  return text === undefined ? 0 : CHARACTER_BYTES * text.length;
}

function metricsBytes(metrics: Metrics | undefined): number {
  let bytes = 0;
  for (const name in metrics) bytes += CHARACTER_BYTES * name.length + NUMBER_BYTES + 5;
  return bytes;
}
