/**
 * A log subscriber's view, compared with what the disk has to tell.
 *
 * @module
 */
import type { ChangeEnvelope } from "../../../shared/protocol/client_envelopes.ts";
import type { Findings } from "../findings.ts";
import type { FeedLine } from "./durable_facts.ts";

/** One subscription, over all its sessions. */
export class LogReader {
  readonly #name: string;
  readonly #findings: Findings;
  readonly #feed: () => readonly FeedLine[];
  #next: number;
  /** Everything up to this commit was told. */
  commit: number;

  /** @param feed what the disk has to tell; another list where the disk was replaced */
  constructor(name: string, findings: Findings, feed: () => readonly FeedLine[], after: number) {
    this.#name = name;
    this.#findings = findings;
    this.#feed = feed;
    const first = feed().findIndex((line) => line.commit > after);
    this.#next = first < 0 ? feed().length : first;
    this.commit = after;
  }

  get hasAll(): boolean {
    return this.#next === this.#feed().length;
  }

  /** @param isPresent whether who tells has the store that there is now, and not one that was lost meanwhile */
  told(envelope: ChangeEnvelope, isPresent: boolean): void {
    for (const change of envelope.changes) {
      const expected = this.#feed()[this.#next];
      const text = JSON.stringify(change);
      // What was lost cannot be compared; what the copy has too was told rightly.
      if (!isPresent && expected?.text !== text) return;
      this.#findings.expect(
        "log_complete",
        expected?.text === text,
        () => `${this.#name} was told ${text} where the disk has ${expected?.text}`,
      );
      this.#next += 1;
    }
    this.commit = envelope.commit;
  }
}
