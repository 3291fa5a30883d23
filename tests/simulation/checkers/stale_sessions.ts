/**
 * Watches that what an older session still says changes nothing.
 *
 * A result that reached the master only over a session that was not the newest of its worker must not count. (What a
 * client's older session says is seen by the reader of its log.)
 *
 * @module
 */
import { type Lease, leaseKey } from "../../../shared/model/task.ts";
import { decode } from "../../../shared/protocol/codec.ts";
import { result } from "../../../shared/protocol/worker_envelopes.ts";
import type { Findings } from "../findings.ts";
import type { Delivery } from "../network.ts";

/** Results by the session that brought them. */
export class StaleSessions {
  readonly #findings: Findings;
  readonly #late: () => void;
  /** Leases whose result came late, and not yet in time. */
  readonly #onlyLate = new Set<string>();
  /** Leases whose result came in time: those are heard, whatever comes again. */
  readonly #inTime = new Set<string>();

  /** @param late is told of each frame of an older session */
  constructor(findings: Findings, late: () => void) {
    this.#findings = findings;
    this.#late = late;
  }

  /** A frame is about to be heard. */
  delivers({ to, node, bytes, isLate }: Delivery): void {
    if (isLate) this.#late();
    if (to !== "master" || !node.startsWith("w")) return;
    for (const key of resultsIn(bytes)) {
      if (!isLate) {
        this.#inTime.add(key);
        this.#onlyLate.delete(key);
      } else if (!this.#inTime.has(key)) this.#onlyLate.add(key);
    }
  }

  /** A lease's result, or its failure, is durable. */
  counted(lease: Lease): void {
    const key = leaseKey(lease);
    this.#findings.expect(
      "stale_session",
      !this.#onlyLate.has(key),
      () => `${key} counts, and its result came over an older session only`,
    );
  }
}

/** `result` as msgpack writes it: most frames have none, and decoding all of them would cost as much as the master. */
const RESULT = [0xa6, ...new TextEncoder().encode("result")];

function resultsIn(bytes: Uint8Array): readonly string[] {
  if (!mentions(bytes, RESULT)) return [];
  const envelopes = decode(bytes);
  if (!Array.isArray(envelopes)) return [];
  return envelopes.flatMap((each) => {
    const parsed = result.safeParse(each);
    return parsed.success ? [leaseKey(parsed.data)] : [];
  });
}

function mentions(bytes: Uint8Array, word: readonly number[]): boolean {
  const [first = 0] = word;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (word.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}
