/**
 * One attempt with all that stands around it: prepared, run, what it saved kept, its end told last.
 *
 * Promise: one `ended` event, after all that is kept of the attempt was reported; `stop` ends it in every state.
 *
 * @module
 */
import type { Attempt, ExecutorEvent, Running } from "../executors/executor.ts";
import { matchingFiles } from "./collected.ts";
import { TIMER_MAX_MS } from "../executors/processes/stopping.ts";
import { FILES_OF_ATTEMPT_MAX, Keeping, type KeepingOptions } from "./keeping.ts";

/** After the evaluator's end, what it saved has so long to get to the master. */
export const KEEP_AFTER_END_MS = 60_000;
/** And a second more for so many bytes of files. */
export const KEEP_BYTES_PER_SECOND = 10_000_000;

/** Why an attempt is not started: told as its failure. */
export class Refusal extends Error {
  readonly isFinal: boolean;

  constructor(message: string, isFinal: boolean) {
    super(message);
    this.isFinal = isFinal;
  }
}

/** An attempt that an executor can start. */
export interface Prepared {
  readonly attempt: Attempt;
  /** Lets go of what was fetched for it. Never rejects. */
  release(): Promise<void>;
}

/** What it stands on. */
export interface ProvidedParts {
  start(attempt: Attempt, events: (event: ExecutorEvent) => void): Running;
  /** @throws Refusal, or what the signal said */
  prepare(signal: AbortSignal): Promise<Prepared>;
  events(event: ExecutorEvent): void;
  /** After `ended` was told. */
  over(): void;
  readonly keeping: Omit<KeepingOptions, "report" | "step">;
}

type Ended = Extract<ExecutorEvent, { readonly type: "ended" }>;

/** An attempt that is provided with files. */
export class ProvidedAttempt implements Running {
  /** Resolves after `ended` was told. */
  readonly over: Promise<void>;
  readonly #over = Promise.withResolvers<void>();
  readonly #attempt: Attempt;
  readonly #parts: ProvidedParts;
  readonly #preparing = new AbortController();
  #release: (() => Promise<void>) | undefined;
  #running: Running | undefined;
  #keeping: Keeping | undefined;
  /** Where its code lies: each attempt may have another copy. */
  #codeFolder: string | undefined;
  #ended: Ended | undefined;
  /** The highest that was reported, or that the attempt goes on from. */
  #step: number;
  /** When what is on its way is given up, by `performance.now`. */
  #giveUpAtMs = Infinity;
  #giveUp: ReturnType<typeof setTimeout> | undefined;
  #stopGraceMs: number | undefined;
  #isOver = false;

  constructor(attempt: Attempt, parts: ProvidedParts) {
    this.over = this.#over.promise;
    this.#attempt = attempt;
    this.#step = attempt.restore?.step ?? 0;
    this.#parts = parts;
  }

  /** Whether `ended` was told. */
  get isOver(): boolean {
    return this.#isOver;
  }

  begin(): void {
    const { code, restore } = this.#attempt;
    if (code === undefined && restore === undefined) this.#run(this.#attempt);
    else void this.#prepare();
  }

  stop(graceMs: number): void {
    this.#stopGraceMs = Math.min(this.#stopGraceMs ?? Infinity, graceMs);
    this.#preparing.abort(new Error("the attempt was stopped"));
    this.#running?.stop(graceMs);
    // Nobody waits longer for what an attempt saved than for the attempt.
    if (this.#giveUp !== undefined) this.#giveUpWithin(graceMs);
  }

  async #prepare(): Promise<void> {
    try {
      const { attempt, release } = await this.#parts.prepare(this.#preparing.signal);
      this.#release = release;
      if (this.#preparing.signal.aborted) return this.#told({ type: "ended", end: { state: "stopped" } });
      this.#run(attempt);
    } catch (error) {
      this.#told({ type: "ended", end: this.#endOf(error) });
    }
  }

  #endOf(error: unknown): Ended["end"] {
    if (this.#preparing.signal.aborted) return { state: "stopped" };
    const message = error instanceof Error ? error.message : String(error);
    const final = error instanceof Refusal && error.isFinal;
    return { state: "failed", cause: "evaluator", message, final };
  }

  #run(attempt: Attempt): void {
    const { files = [], codeFolder } = attempt;
    this.#codeFolder = codeFolder;
    const collect = files.length === 0 ? undefined : (folder: string) => this.#collect(folder, files);
    const given = collect === undefined ? attempt : { ...attempt, collect };
    const running = this.#parts.start(given, (event) => this.#told(event));
    this.#running = running;
  }

  #told(event: ExecutorEvent): void {
    if (this.#ended !== undefined) return;
    switch (event.type) {
      case "checkpoint":
        return this.#keep().checkpoint(event.step, event.path);
      case "file":
        return this.#keep().file({ name: event.name, path: event.path, isSnapshot: true });
      case "report":
        this.#step = Math.max(this.#step, event.step);
        return this.#parts.events(event);
      case "output":
        return this.#parts.events(event);
      case "ended":
        return this.#evaluatorEnded(event);
    }
  }

  #keep(): Keeping {
    const { keeping, events } = this.#parts;
    return this.#keeping ??= new Keeping({ ...keeping, report: events, step: () => this.#step });
  }

  /** Within the same call where nothing is to be waited for. */
  #evaluatorEnded(ended: Ended): void {
    this.#ended = this.#codeFolder === undefined ? ended : withoutFolder(ended, this.#codeFolder);
    if (this.#release === undefined && (this.#keeping?.isIdle ?? true)) return this.#tellEnd();
    void this.#finish();
  }

  async #finish(): Promise<void> {
    if (this.#keeping?.isIdle === false) {
      this.#giveUpWithin(this.#stopGraceMs ?? KEEP_AFTER_END_MS);
      await this.#keeping.idle;
    }
    await this.#release?.();
    this.#tellEnd();
  }

  #tellEnd(): void {
    clearTimeout(this.#giveUp);
    if (this.#ended === undefined) return;
    this.#isOver = true;
    this.#parts.events(this.#ended);
    this.#parts.over();
    this.#over.resolve();
  }

  /** A second time can only be shorter. */
  #giveUpWithin(ms: number): void {
    const atMs = performance.now() + ms;
    if (atMs >= this.#giveUpAtMs) return;
    this.#giveUpAtMs = atMs;
    clearTimeout(this.#giveUp);
    const why = `it was not at the master ${Math.round(ms / 1_000)} s after the evaluator's end`;
    this.#giveUp = setTimeout(() => this.#keeping?.giveUp(why), Math.min(ms, TIMER_MAX_MS));
  }

  /** Called by the executor when the evaluator has ended. */
  async #collect(folder: string, patterns: readonly string[]): Promise<void> {
    const keeping = this.#keep();
    try {
      const { files, isWhole } = await matchingFiles(folder, patterns, FILES_OF_ATTEMPT_MAX);
      if (!isWhole) keeping.warn(`its folder has more than was looked at: not all of its files may be kept`);
      let bytes = 0;
      for (const { name, path } of files) {
        bytes += (await Deno.stat(path)).size;
        keeping.file({ name, path, isSnapshot: false });
      }
      if (keeping.isIdle) return;
      const ms = KEEP_AFTER_END_MS + bytes / KEEP_BYTES_PER_SECOND * 1_000;
      this.#giveUpWithin(this.#stopGraceMs ?? ms);
      await keeping.idle;
    } catch (error) {
      keeping.warn(`its files were not kept: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Failures are compared by their messages, and read by those who know the code from their own folder. */
function withoutFolder(ended: Ended, folder: string): Ended {
  const { end } = ended;
  if (end.state !== "failed") return ended;
  const shown = (text: string) => text.replaceAll(`${folder}/`, "").replaceAll(folder, ".");
  const { message, stack } = end;
  return {
    type: "ended",
    end: { ...end, message: shown(message), stack: stack === undefined ? stack : shown(stack) },
  };
}
