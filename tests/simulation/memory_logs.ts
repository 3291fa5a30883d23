/**
 * Logs in memory, behind the same seam as those on a disk: for tests on virtual time.
 *
 * @module
 */
import type { TaskId } from "../../shared/model/ids.ts";
import { type Lease, leaseKey } from "../../shared/model/task.ts";
import type { AttemptPieces, Done, KeptEnds, LogFiles } from "../../master/logs/log_files.ts";
import type { KeptAttempt, KeptPiece, LogPlace, LogRead, Stream } from "../../master/logs/logs.ts";

/** What is kept of an attempt. */
export interface Kept {
  readonly lease: Lease;
  readonly worker: string;
  readonly stdout: KeptPiece[];
  readonly stderr: KeptPiece[];
  isComplete: boolean;
}

/** Logs that outlive whoever writes them. */
export class MemoryLogs {
  readonly kept = new Map<string, Kept>();

  /** One life over them. @param soon calls a little later, or never where the process has ended */
  files(soon: (call: () => void) => void, failure: () => string | undefined = () => undefined): LogFiles {
    return new MemoryLogFiles(this.kept, soon, failure);
  }
}

class MemoryLogFiles implements LogFiles {
  readonly #kept: Map<string, Kept>;
  readonly #soon: (call: () => void) => void;
  readonly #failure: () => string | undefined;

  constructor(kept: Map<string, Kept>, soon: (call: () => void) => void, failure: () => string | undefined) {
    this.#kept = kept;
    this.#soon = soon;
    this.#failure = failure;
  }

  ends(lease: Lease, done: Done<KeptEnds | null>): void {
    this.#answer(done, () => {
      const kept = this.#kept.get(leaseKey(lease));
      return kept === undefined
        ? null
        : { worker: kept.worker, stdout: endOf(kept.stdout), stderr: endOf(kept.stderr) };
    });
  }

  append(lease: Lease, worker: string, pieces: AttemptPieces, done: Done<void>): void {
    this.#answer(done, () => {
      const key = leaseKey(lease);
      const kept = this.#kept.get(key) ?? { lease, worker, stdout: [], stderr: [], isComplete: false };
      this.#kept.set(key, kept);
      kept.stdout.push(...pieces.stdout);
      kept.stderr.push(...pieces.stderr);
    });
  }

  complete(lease: Lease, done: Done<void>): void {
    this.#answer(done, () => {
      const kept = this.#kept.get(leaseKey(lease));
      if (kept !== undefined) kept.isComplete = true;
    });
  }

  attempts(task: TaskId, done: Done<readonly KeptAttempt[]>): void {
    this.#answer(done, () => [...this.#kept.values()].filter(({ lease }) => lease.task === task));
  }

  read(lease: Lease, stream: Stream, from: LogPlace, _bytesMax: number, done: Done<LogRead>): void {
    this.#answer(done, () => {
      const pieces = this.#kept.get(leaseKey(lease))?.[stream].slice(from.position) ?? [];
      return { pieces, next: { segment: 0, position: from.position + pieces.length } };
    });
  }

  #answer<T>(done: Done<T>, work: () => T): void {
    this.#soon(() => {
      const reason = this.#failure();
      done(reason === undefined ? { ok: true, value: work() } : { ok: false, reason });
    });
  }
}

function endOf(pieces: readonly KeptPiece[]): number {
  const last = pieces.at(-1);
  return last === undefined ? 0 : last.offset + last.data.byteLength;
}
