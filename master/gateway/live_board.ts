/**
 * The live board: the present value of everything that pages show, and what each subscriber has not seen of it.
 *
 * Promise: a subscriber that takes its share sees the newest value of each entry that has changed since its last one;
 * values in between are skipped. Memory grows with the entries, not with their changes.
 *
 * @module
 */
import type { LiveEntry } from "../../shared/protocol/client_envelopes.ts";

/** Entries in one envelope: the largest ones (a worker with many GPUs) must together fit into a frame. */
export const ENVELOPE_ENTRIES_MAX = 32;

/** What one subscriber has not seen, by topic and key. */
export type LiveShare = Map<string, LiveEntry>;

/** Entries by topic and key. */
export class LiveBoard {
  readonly #entries = new Map<string, LiveEntry>();
  readonly #shares = new Set<LiveShare>();

  /** Whether anyone watches. */
  get isWatched(): boolean {
    return this.#shares.size > 0;
  }

  /** Replaces values; null takes one away. */
  set(entries: readonly LiveEntry[]): void {
    for (const entry of entries) {
      const key = `${entry.topic} ${entry.key}`;
      if (entry.value === null) this.#entries.delete(key);
      else this.#entries.set(key, entry);
      for (const share of this.#shares) share.set(key, entry);
    }
  }

  /** Adds a subscriber; answers everything, in envelopes' worth. */
  join(share: LiveShare): readonly (readonly LiveEntry[])[] {
    this.#shares.add(share);
    return inParts([...this.#entries.values()]);
  }

  /** Takes a subscriber away. */
  leave(share: LiveShare): void {
    this.#shares.delete(share);
  }
}

/** Empties a share; answers what was in it, in envelopes' worth. */
export function takeShare(share: LiveShare): readonly (readonly LiveEntry[])[] {
  const parts = inParts([...share.values()]);
  share.clear();
  return parts;
}

function inParts(entries: readonly LiveEntry[]): readonly (readonly LiveEntry[])[] {
  const parts: LiveEntry[][] = [];
  for (let from = 0; from < entries.length; from += ENVELOPE_ENTRIES_MAX) {
    parts.push(entries.slice(from, from + ENVELOPE_ENTRIES_MAX));
  }
  return parts;
}
