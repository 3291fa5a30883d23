/**
 * Watches what waits for a peer to read it.
 *
 * @module
 */
import { FRAME_BYTES_MAX } from "../../../shared/protocol/limits.ts";
import { UNREAD_BYTES_MAX } from "../../../master/gateway/connection.ts";
import type { Findings } from "../findings.ts";

/** A sender looks after each turn: what it says in one, a few frames, may come on top. */
const BYTES_MAX = UNREAD_BYTES_MAX + 4 * FRAME_BYTES_MAX;
/** Looked at this often: the claim is simple, and made for every frame. */
const NOTED_EVERY = 256;

/** Everything that was sent and not read. */
export class Buffers {
  readonly #findings: Findings;
  #looked = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Something was sent to a peer that has not read so much by now. */
  queued(unreadBytes: number): void {
    this.#looked += 1;
    if (unreadBytes <= BYTES_MAX && this.#looked % NOTED_EVERY !== 1) return;
    this.#findings.expect(
      "buffers_bounded",
      unreadBytes <= BYTES_MAX,
      () => `${unreadBytes} bytes wait for one peer`,
    );
  }
}
