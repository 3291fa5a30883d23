/**
 * The log of one attempt, while it is being written.
 *
 * @module
 */
import type { Lease } from "../../shared/model/task.ts";
import type { AttemptPieces, KeptEnds } from "./log_files.ts";
import { type Brought, type KeptPiece, type Stream, STREAMS } from "./logs.ts";

interface OpenStream {
  /** Everything before it was taken in, or left out. */
  end: number;
  pieces: KeptPiece[];
  /** How far its worker was answered. */
  answered: number;
}

/** What is known of it, and what of it is not written yet. */
export class OpenLog {
  readonly key: string;
  readonly lease: Lease;
  /** Whose it is. */
  readonly worker: string;
  /** `asking`: what is kept of it is being looked up. */
  state: "asking" | "open" | "writing" = "asking";
  /** Its worker said that nothing follows. */
  isComplete = false;
  readonly #streams: Readonly<Record<Stream, OpenStream>> = {
    stdout: { end: 0, pieces: [], answered: 0 },
    stderr: { end: 0, pieces: [], answered: 0 },
  };
  #waiting: Brought[] = [];
  #isTrusted = false;
  #answer: Brought["answer"] = () => {};

  constructor(key: string, lease: Lease, worker: string) {
    this.key = key;
    this.lease = lease;
    this.worker = worker;
  }

  /** Whether its worker has the lease, or had it when it first said something. */
  get isTrusted(): boolean {
    return this.#isTrusted;
  }

  get hasPending(): boolean {
    return STREAMS.some((stream) => this.#streams[stream].pieces.length > 0);
  }

  /** Until it is known what is kept. */
  waits(brought: Brought): void {
    this.#waiting.push(brought);
  }

  /** What is kept of it is known. @returns what waited for that */
  begin(ends: KeptEnds | null): readonly Brought[] {
    for (const stream of STREAMS) this.#streams[stream].end = ends?.[stream] ?? 0;
    const isGranted = this.#waiting.some((each) => each.isGranted);
    this.#isTrusted = ends === null ? isGranted : ends.worker === this.worker;
    return this.leave();
  }

  /** It is not known, or nothing of it is waited for any more. @returns what waited */
  leave(): readonly Brought[] {
    this.state = "open";
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /**
   * Takes a piece in, without what is there already.
   *
   * @param isFull it is left out for want of memory, and answered all the same once there is room
   * @returns how many bytes are to be written; `foreign` where it is not this worker's to say
   */
  take({ log, answer }: Brought, atMs: number, isFull: boolean): number | "foreign" {
    if (!this.#isTrusted) return "foreign";
    this.#answer = answer;
    if (log.last === true) this.isComplete = true;
    const stream = this.#streams[log.stream];
    const known = Math.max(0, stream.end - log.offset);
    const data = log.data.subarray(known);
    stream.answered = -1;
    if (data.byteLength === 0) return 0;
    const offset = log.offset + known;
    stream.end = offset + data.byteLength;
    if (isFull) return 0;
    // A copy: the frame that it came in may be of megabytes.
    stream.pieces.push({ offset, data: data.slice(), atMs });
    return data.byteLength;
  }

  piecesToWrite(): AttemptPieces {
    const { stdout, stderr } = this.#streams;
    const pieces = { stdout: stdout.pieces, stderr: stderr.pieces };
    stdout.pieces = [];
    stderr.pieces = [];
    return pieces;
  }

  /** They could not be written. */
  putBack(pieces: AttemptPieces): void {
    for (const stream of STREAMS) {
      const open = this.#streams[stream];
      open.pieces = [...pieces[stream], ...open.pieces];
    }
  }

  /** Says how far everything is written. */
  answer(): void {
    const { epoch, task, attempt } = this.lease;
    for (const stream of STREAMS) {
      const open = this.#streams[stream];
      const offset = open.pieces[0]?.offset ?? open.end;
      if (open.answered === offset) continue;
      open.answered = offset;
      this.#answer({ type: "logged", epoch, task, attempt, stream, offset });
    }
  }
}
