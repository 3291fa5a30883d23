/**
 * Logs in files: each stream in segments, the first and the last of which stay.
 *
 * Promise: an attempt costs a bounded piece of the disk, whatever it prints; what a crash tore is cut off; no file stays
 * open. What was written is not forced to the disk: a power cut may cost the last seconds of a log, and nothing else.
 * Not here: how much is kept in all, and for how long (retention.ts).
 *
 * @module
 */
import type { TaskId } from "../../../shared/model/ids.ts";
import { type Lease, leaseKey } from "../../../shared/model/task.ts";
import type { AttemptPieces, Done, KeptEnds, LogFiles } from "../log_files.ts";
import {
  type KeptAttempt,
  type KeptPiece,
  type LogPlace,
  type LogRead,
  type Stream,
  STREAMS,
} from "../logs.ts";
import {
  attemptName,
  compressSegment,
  segmentBytes,
  type SegmentName,
  segmentPath,
  segmentsIn,
  taskFolder,
} from "./log_folder.ts";
import {
  HEAD_SEGMENTS,
  readSegment,
  recordOf,
  SEGMENT_BYTES,
  segmentHead,
  TAIL_SEGMENTS,
} from "./segment.ts";
import { type Appending, streamEnd } from "./stream_end.ts";

/** Attempts whose last segments are remembered; the others are looked up. */
const REMEMBERED_MAX = 8_192;

/** Logs below a folder. */
export class DiskLogFiles implements LogFiles {
  readonly #folder: string;
  readonly #wrote: (bytes: number) => void;
  readonly #appending = new Map<string, Record<Stream, Appending> & { readonly task: TaskId }>();
  /** How many of those attempts each task has. */
  readonly #openTasks = new Map<TaskId, number>();
  /** Attempts whose last write failed: their files may be longer than what counts. */
  readonly #torn = new Set<string>();
  /** What is done about each attempt, one thing after the other. */
  readonly #busy = new Map<string, Promise<void>>();

  /** @param wrote is told how many bytes have come to the disk, or gone */
  constructor(folder: string, wrote: (bytes: number) => void = () => {}) {
    this.#folder = folder;
    this.#wrote = wrote;
  }

  /** Whether something is appended to an attempt of this name, or was lately. */
  isOpen(task: TaskId): boolean {
    return this.#openTasks.has(task);
  }

  /** Once nothing is being written any more. */
  async close(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  ends(lease: Lease, done: Done<KeptEnds | null>): void {
    this.#inTurn(lease, done, async () => (await this.#look(lease)).ends);
  }

  append(lease: Lease, worker: string, pieces: AttemptPieces, done: Done<void>): void {
    this.#inTurn(lease, done, async () => {
      const key = leaseKey(lease);
      const known = this.#appending.get(key) ?? (await this.#look(lease)).appending;
      if (this.#torn.has(key)) await this.#cutBack(lease, known);
      this.#torn.add(key);
      const next = { stdout: { ...known.stdout }, stderr: { ...known.stderr } };
      for (const stream of STREAMS) await this.#write(lease, worker, stream, next[stream], pieces[stream]);
      this.#torn.delete(key);
      this.#remember(lease, next);
    });
  }

  complete(lease: Lease, done: Done<void>): void {
    this.#inTurn(lease, done, async () => {
      const key = leaseKey(lease);
      const known = this.#appending.get(key);
      if (this.#torn.has(key) && known !== undefined) await this.#cutBack(lease, known);
      this.#forget(key);
      for (const { path, isCompressed } of await this.#segmentsOf(lease)) {
        if (isCompressed) continue;
        const { size } = await Deno.stat(path);
        this.#wrote(await compressSegment(path) - size);
      }
    });
  }

  attempts(task: TaskId, done: Done<readonly KeptAttempt[]>): void {
    void answer(done, async () => {
      const byAttempt = Map.groupBy(
        await segmentsIn(taskFolder(this.#folder, task)),
        (each) => each.attemptName,
      );
      const attempts: KeptAttempt[] = [];
      for (const segments of byAttempt.values()) {
        const [first] = segments;
        const owner = first === undefined ? undefined : readSegment(await segmentBytes(first))?.owner;
        if (first === undefined || owner === undefined) continue;
        const lease = { epoch: owner.epoch, task, attempt: first.attempt };
        const isComplete = segments.every((each) => each.isCompressed);
        attempts.push({ lease, worker: owner.worker, isComplete });
      }
      return attempts;
    });
  }

  read(lease: Lease, stream: Stream, from: LogPlace, bytesMax: number, done: Done<LogRead>): void {
    // In turn: what is read must not be compressed meanwhile, nor be half of a write that fails.
    this.#inTurn(lease, done, async () => {
      const segments = (await this.#segmentsOf(lease)).filter((each) => each.stream === stream);
      const pieces: KeptPiece[] = [];
      let next = from;
      for (const segment of segments) {
        if (segment.index < next.segment) continue;
        if (segment.index > next.segment) next = { segment: segment.index, position: 0 };
        const content = readSegment(await segmentBytes(segment), next.position);
        for (const { next: position, ...piece } of content?.records ?? []) {
          pieces.push(piece);
          next = { segment: segment.index, position };
          if (bytesOf(pieces) >= bytesMax) return { pieces, next };
        }
        if (pieces.length > 0) break;
      }
      return { pieces, next };
    });
  }

  async #write(
    lease: Lease,
    worker: string,
    stream: Stream,
    at: Appending,
    pieces: readonly KeptPiece[],
  ): Promise<void> {
    let bytes: Uint8Array[] = [];
    let size = at.bytes;
    const flush = async () => {
      if (bytes.length === 0) return;
      if (at.bytes === 0) bytes.unshift(segmentHead({ epoch: lease.epoch, worker }));
      const all = joined(bytes);
      bytes = [];
      await this.#appendTo(segmentPath(this.#folder, lease, stream, at.index), all, at.bytes === 0, lease);
      at.bytes += all.byteLength;
      this.#wrote(all.byteLength);
    };
    for (const piece of pieces) {
      if (size >= SEGMENT_BYTES) {
        await flush();
        await this.#leaveOut(lease, stream, at.index + 1 - TAIL_SEGMENTS);
        at.index += 1;
        at.bytes = 0;
        size = 0;
      }
      const record = recordOf(piece);
      bytes.push(record);
      size += record.byteLength;
    }
    await flush();
  }

  async #appendTo(path: string, bytes: Uint8Array, isNew: boolean, lease: Lease): Promise<void> {
    if (isNew) await Deno.mkdir(taskFolder(this.#folder, lease.task), { recursive: true, mode: 0o700 });
    await Deno.writeFile(path, bytes, { append: true, createNew: isNew, mode: 0o600 });
  }

  /** A segment between head and tail. */
  async #leaveOut(lease: Lease, stream: Stream, index: number): Promise<void> {
    if (index < HEAD_SEGMENTS) return;
    const path = segmentPath(this.#folder, lease, stream, index);
    try {
      const { size } = await Deno.stat(path);
      await Deno.remove(path);
      this.#wrote(-size);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Undoes what a write that failed has left. */
  async #cutBack(lease: Lease, known: Record<Stream, Appending>): Promise<void> {
    for (const { stream, index, path, isCompressed } of await this.#segmentsOf(lease)) {
      if (isCompressed) continue;
      const { index: last, bytes } = known[stream];
      if (index > last || (index === last && bytes === 0)) await Deno.remove(path);
      else if (index === last) await Deno.truncate(path, bytes);
    }
  }

  /** Reads how far an attempt is kept. */
  async #look(lease: Lease): Promise<{ ends: KeptEnds | null; appending: Record<Stream, Appending> }> {
    const segments = await this.#segmentsOf(lease);
    const appending: Record<Stream, Appending> = {
      stdout: { index: 0, bytes: 0 },
      stderr: { index: 0, bytes: 0 },
    };
    const ends = { stdout: 0, stderr: 0 };
    let worker: string | undefined;
    let isTorn = false;
    for (const stream of STREAMS) {
      const found = await streamEnd(segments.filter((each) => each.stream === stream));
      worker ??= found.worker;
      ends[stream] = found.end;
      appending[stream] = found.appending;
      isTorn ||= found.isTorn;
    }
    if (ends.stdout + ends.stderr > 0) this.#remember(lease, appending);
    if (isTorn) this.#torn.add(leaseKey(lease));
    return { ends: worker === undefined ? null : { worker, ...ends }, appending };
  }

  #remember(lease: Lease, appending: Record<Stream, Appending>): void {
    const key = leaseKey(lease);
    if (!this.#appending.delete(key)) {
      this.#openTasks.set(lease.task, (this.#openTasks.get(lease.task) ?? 0) + 1);
    }
    this.#appending.set(key, { ...appending, task: lease.task });
    if (this.#appending.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#appending.keys();
    if (oldest !== undefined && !this.#torn.has(oldest)) this.#forget(oldest);
  }

  #forget(key: string): void {
    const task = this.#appending.get(key)?.task;
    this.#torn.delete(key);
    this.#appending.delete(key);
    if (task === undefined) return;
    const left = (this.#openTasks.get(task) ?? 1) - 1;
    if (left > 0) this.#openTasks.set(task, left);
    else this.#openTasks.delete(task);
  }

  async #segmentsOf(lease: Lease): Promise<SegmentName[]> {
    const name = attemptName(lease);
    const segments = await segmentsIn(taskFolder(this.#folder, lease.task));
    return segments.filter((each, index) =>
      each.attemptName === name &&
      // A crash between compressing and removing leaves both.
      !segments.slice(0, index).some((other) =>
        other.attemptName === name && other.stream === each.stream && other.index === each.index
      )
    );
  }

  #inTurn<T>(lease: Lease, done: Done<T>, work: () => Promise<T>): void {
    const key = leaseKey(lease);
    const before = this.#busy.get(key) ?? Promise.resolve();
    const turn = before.then(() => answer(done, work)).finally(() => {
      if (this.#busy.get(key) === turn) this.#busy.delete(key);
    });
    this.#busy.set(key, turn);
  }
}

async function answer<T>(done: Done<T>, work: () => Promise<T>): Promise<void> {
  let result: Parameters<Done<T>>[0];
  try {
    result = { ok: true, value: await work() };
  } catch (error) {
    result = { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
  done(result);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((bytes, each) => bytes + each.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

function bytesOf(pieces: readonly KeptPiece[]): number {
  return pieces.reduce((bytes, { data }) => bytes + data.byteLength, 0);
}
