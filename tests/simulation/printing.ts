/**
 * What simulated evaluators print, and what the master has of it in the end.
 *
 * Watches: what is kept of an attempt is what that attempt printed, byte for byte at its place, no byte twice, and said by
 * the worker that ran it.
 *
 * @module
 */
import { seededRandom } from "../../shared/actor/random.ts";
import { leaseKey } from "../../shared/model/task.ts";
import { type KeptPiece, type Stream, STREAMS } from "../../master/logs/logs.ts";
import type { Executor } from "../../worker/executors/executor.ts";
import type { Findings } from "./findings.ts";
import { MemoryLogs } from "./memory_logs.ts";
import type { SimulatedProcess } from "./process.ts";

/** One in so many attempts prints, in one of two worlds. */
const PRINTING_PART = 3;
/** The longest time between two prints. */
const PAUSE_MS_MAX = 400;
/** One in so many prints is of more than a piece holds. */
const LONG_PART = 40;
const LONG_BYTES = 150_000;
const SHORT_BYTES_MAX = 200;

/** An attempt that printed. */
interface Printed {
  readonly worker: string;
  readonly stdout: { bytes: number };
  readonly stderr: { bytes: number };
}

/** All output of a world. */
export class Printing {
  /** What the master keeps, over all its lives. */
  readonly logs = new MemoryLogs();
  readonly #seed: string;
  readonly #findings: Findings;
  readonly #printed = new Map<string, Printed>();
  readonly #isOn: boolean;

  constructor(seed: string, findings: Findings) {
    this.#seed = seed;
    this.#findings = findings;
    this.#isOn = seededRandom(seed, "printing").integer(2) === 0;
  }

  /** The same executor, whose evaluators print. */
  printing<E extends Pick<Executor, "kind" | "start">>(
    { kind, start }: E,
    worker: string,
    process: SimulatedProcess,
  ): Pick<Executor, "kind" | "start"> {
    if (!this.#isOn || kind !== "module") return { kind, start };
    return {
      kind,
      start: (attempt, events) => {
        const key = leaseKey(attempt.lease);
        const random = seededRandom(this.#seed, "printing", key);
        if (random.integer(PRINTING_PART) > 0) return start(attempt, events);
        const printed = { worker, stdout: { bytes: 0 }, stderr: { bytes: 0 } };
        this.#printed.set(key, printed);
        let isOver = false;
        const print = () => {
          if (isOver) return;
          const stream = random.pick(STREAMS);
          const bytes = random.integer(LONG_PART) === 0 ? LONG_BYTES : 1 + random.integer(SHORT_BYTES_MAX);
          const at = printed[stream].bytes;
          printed[stream].bytes += bytes;
          events({ type: "output", stream, data: textOf(key, stream, at, bytes) });
          process.timer(1 + random.next() * PAUSE_MS_MAX, print);
        };
        print();
        return start(attempt, (event) => {
          isOver ||= event.type === "ended";
          events(event);
        });
      },
    };
  }

  /** Both may have written for a moment: readers pass over what is there twice. */
  hadTwoMasters = false;

  /** In the end. */
  check(): void {
    for (const [key, kept] of this.logs.kept) {
      const printed = this.#printed.get(key);
      const isTheirs = printed?.worker === kept.worker;
      this.#findings.expect("logs_true", isTheirs, () => `${kept.worker} wrote the log of ${key}`);
      if (printed === undefined) continue;
      for (const stream of STREAMS) {
        const problem = problemOf(key, stream, kept[stream], {
          bytes: printed[stream].bytes,
          mayRepeat: this.hadTwoMasters,
        });
        this.#findings.expect("logs_true", problem === "", () => `${stream} of ${key}: ${problem}`);
      }
    }
  }
}

/** What the bytes of a stream are, from its name alone: those of another are others. */
function textOf(key: string, stream: Stream, offset: number, bytes: number): Uint8Array {
  let mark = stream.length * 7 + (stream === "stdout" ? 1 : 2);
  for (const letter of key) mark = (mark * 31 + letter.charCodeAt(0)) & 0xffff;
  return Uint8Array.from({ length: bytes }, (_, index) => (mark + (offset + index) * 13) & 0xff);
}

function problemOf(
  key: string,
  stream: Stream,
  pieces: readonly KeptPiece[],
  printed: { readonly bytes: number; readonly mayRepeat: boolean },
): string {
  let end = 0;
  for (const { offset, data } of pieces) {
    if (offset < end && !printed.mayRepeat) return `the bytes from ${offset} are there twice`;
    end = offset + data.byteLength;
    if (end > printed.bytes) return `${end} bytes are kept of ${printed.bytes}`;
    const expected = textOf(key, stream, offset, data.byteLength);
    if (data.some((byte, index) => byte !== expected[index])) return `at ${offset} is what nobody printed`;
  }
  return "";
}
