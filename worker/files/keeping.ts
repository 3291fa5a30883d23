/**
 * What one attempt saves, on its way to the master.
 *
 * Promise: a report of a checkpoint or a file is made only once its bytes are durable at the master, one after the other;
 * of checkpoints that wait, the newest is kept; what cannot be kept is a warning and no failure; nothing that was handed
 * over is left on the disk.
 * Not here: what a checkpoint looks like in its pack (saved.ts), which files match (collected.ts).
 *
 * @module
 */
import { type ArtifactRef, isFileName } from "../../shared/model/artifact.ts";
import { type ArtifactTransfer } from "../../shared/protocol/artifact_port.ts";
import type { ExecutorEvent } from "../executors/executor.ts";
import { removeAll, type TransferPlace } from "./place.ts";
import { packSaved } from "./saved.ts";

/** Files of one attempt: further ones are not kept. */
export const FILES_OF_ATTEMPT_MAX = 1_000;
/** All of them together: what is larger belongs where data is kept. */
export const FILES_OF_ATTEMPT_BYTES_MAX = 16 * 1024 ** 3;
/** So many tries in a row come to nothing before that is a warning: some ten seconds. */
const FAILED_TRIES_TOLD = 8;
/** So many warnings of one attempt are told. */
const WARNINGS_MAX = 5;

const TOO_MANY_BYTES = `the files of an attempt may have ${
  FILES_OF_ATTEMPT_BYTES_MAX / 1024 ** 3
} GiB in all`;

/** A report of something that is kept. */
export type KeptReport = Extract<ExecutorEvent, { readonly type: "report" }>;
/** A file to be kept. */
export interface FileToKeep {
  readonly name: string;
  readonly path: string;
  /** Whether it is removed then. */
  readonly isSnapshot: boolean;
}

/** What it stands on. */
export interface KeepingOptions {
  readonly transfer: ArtifactTransfer;
  readonly place: TransferPlace;
  /** Of what was measured last: what is kept belongs to it. */
  step(): number;
  report(report: KeptReport): void;
  warns(message: string): void;
}

type Job = { readonly type: "checkpoint"; readonly step: number; readonly path: string } | {
  readonly type: "file";
  readonly file: FileToKeep;
};

/** Keeps what one attempt saves. */
export class Keeping {
  readonly #options: KeepingOptions;
  readonly #controller = new AbortController();
  readonly #files: FileToKeep[] = [];
  #checkpoint: Extract<Job, { type: "checkpoint" }> | undefined;
  #work: Promise<void> | undefined;
  #filesTaken = 0;
  #bytesTaken = 0;
  #warned = 0;
  /** Tries that came to nothing, since the last thing was kept, and why the last one did. */
  #failedTries = 0;
  #failedBecause = "";
  readonly #removals = new Set<Promise<void>>();

  constructor(options: KeepingOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is on its way. */
  get idle(): Promise<void> {
    return Promise.all([this.#work, ...this.#removals]).then(() => {});
  }

  get isIdle(): boolean {
    return this.#work === undefined && this.#removals.size === 0;
  }

  /** Takes a checkpoint: a file or folder that is this attempt's no more. */
  checkpoint(step: number, path: string): void {
    if (this.#controller.signal.aborted || !Number.isSafeInteger(step) || step < 0) {
      this.#dropped(`the checkpoint of step ${step} was not kept`);
      return this.#remove(path);
    }
    if (this.#checkpoint !== undefined) this.#remove(this.#checkpoint.path);
    this.#checkpoint = { type: "checkpoint", step, path };
    this.#begin();
  }

  /** Takes a file. */
  file(file: FileToKeep): void {
    const problem = this.#problemOf(file);
    if (problem !== undefined) {
      this.#dropped(`the file ${file.name} was not kept${problem}`);
      if (file.isSnapshot) this.#remove(file.path);
      return;
    }
    this.#filesTaken += 1;
    this.#files.push(file);
    this.#begin();
  }

  /** Something is not as it should be, and no failure. */
  warn(message: string): void {
    this.#warned += 1;
    if (this.#warned > WARNINGS_MAX) return;
    const isLast = this.#warned === WARNINGS_MAX;
    this.#options.warns(isLast ? `${message}; further warnings of this attempt are not told` : message);
  }

  /** Gives up what is on its way. @param why for people */
  giveUp(why: string): void {
    const last = this.#failedTries > 0 ? `; the last try: ${this.#failedBecause}` : "";
    if (this.#work !== undefined) this.warn(`what the attempt saved last was not kept: ${why}${last}`);
    this.#controller.abort();
  }

  #problemOf({ name }: FileToKeep): string | undefined {
    if (this.#controller.signal.aborted) return "";
    if (!isFileName(name)) return ": its name is not one of a file below a folder";
    if (this.#filesTaken < FILES_OF_ATTEMPT_MAX) return undefined;
    return `: an attempt may keep ${FILES_OF_ATTEMPT_MAX} files; put them into one`;
  }

  /** After giving up, each loss would be told again. */
  #dropped(message: string): void {
    if (!this.#controller.signal.aborted) this.warn(message);
  }

  #remove(path: string): void {
    const removal = removeAll(path).then(() => void this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  #begin(): void {
    this.#work ??= this.#run();
  }

  async #run(): Promise<void> {
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      try {
        if (job.type === "checkpoint") await this.#keepCheckpoint(job.step, job.path);
        else await this.#keepFile(job.file);
      } catch (error) {
        const what = job.type === "checkpoint" ? `checkpoint of step ${job.step}` : `file ${job.file.name}`;
        this.#dropped(`the ${what} was not kept: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    this.#work = undefined;
  }

  /** A checkpoint first: it is what a death would cost. */
  #next(): Job | undefined {
    const checkpoint = this.#checkpoint;
    this.#checkpoint = undefined;
    if (checkpoint !== undefined) return checkpoint;
    const file = this.#files.shift();
    return file === undefined ? undefined : { type: "file", file };
  }

  async #put(path: string, what: string): Promise<ArtifactRef> {
    const ref = await this.#options.transfer.put(path, {
      signal: this.#controller.signal,
      failed: (reason) => {
        this.#failedTries += 1;
        this.#failedBecause = reason;
        if (this.#failedTries !== FAILED_TRIES_TOLD) return;
        this.warn(`the ${what} cannot be kept now: ${reason}; it is tried again`);
      },
    });
    this.#failedTries = 0;
    return ref;
  }

  async #keepCheckpoint(step: number, path: string): Promise<void> {
    const { place, report } = this.#options;
    const { signal } = this.#controller;
    const pack = place.name();
    try {
      signal.throwIfAborted();
      await place.open();
      await packSaved(path, pack);
      await removeAll(path);
      const checkpoint = await this.#put(pack, `checkpoint of step ${step}`);
      if (!signal.aborted) report({ type: "report", step, metrics: {}, checkpoint });
    } finally {
      await Promise.all([removeAll(path), removeAll(pack)]);
    }
  }

  async #keepFile({ name, path, isSnapshot }: FileToKeep): Promise<void> {
    const { report } = this.#options;
    const { signal } = this.#controller;
    try {
      signal.throwIfAborted();
      this.#bytesTaken += (await Deno.stat(path)).size;
      if (this.#bytesTaken > FILES_OF_ATTEMPT_BYTES_MAX) throw new Error(TOO_MANY_BYTES);
      const { sha256, bytes } = await this.#put(path, `file ${name}`);
      if (!signal.aborted) {
        report({ type: "report", step: this.#options.step(), metrics: {}, file: { name, sha256, bytes } });
      }
    } finally {
      if (isSnapshot) await removeAll(path);
    }
  }
}
