/**
 * What stands around an executor: code and checkpoint before an attempt, what it saves during it, its files at its end.
 *
 * Promise: an executor knows folders only, and whoever starts attempts knows reports only; an attempt that needs none of
 * it is started in the same call; of all that was fetched for an attempt nothing is left but the cache of code.
 * Not here: what an attempt that was prepared goes through (provided_attempt.ts).
 *
 * @module
 */
import { ArtifactError, type ArtifactTransfer } from "../../shared/protocol/artifact_port.ts";
import { UnpackError } from "../../shared/platform/tar_unpack.ts";
import type { Attempt, Executor, ExecutorEvent, Running } from "../executors/executor.ts";
import { CodeCache } from "./code_cache.ts";
import { CodeCopies } from "./code_copies.ts";
import { join } from "node:path";
import { removeAll, TransferPlace } from "./place.ts";
import { placeEvaluator } from "./placed.ts";
import { type Prepared, ProvidedAttempt, Refusal } from "./provided_attempt.ts";
import { unpackSaved } from "./saved.ts";

/** What provision stands on: one for all executors of a worker. */
export interface ProvisionOptions {
  /** The worker's, held by this process alone. */
  readonly dataFolder: string;
  readonly transfer: ArtifactTransfer;
  /** What the cache of code may hold. */
  readonly codeCacheBytes?: number | undefined;
  /** Told what is not as it should be, and no failure. */
  warns(message: string, task: string): void;
}

/** Provides the executors of one worker with files. */
export class Provision {
  readonly #options: ProvisionOptions;
  readonly #place: TransferPlace;
  readonly #cache: CodeCache;
  readonly #copies: CodeCopies;

  constructor(options: ProvisionOptions) {
    const { dataFolder, transfer, codeCacheBytes } = options;
    this.#options = options;
    this.#place = new TransferPlace(dataFolder);
    this.#cache = new CodeCache({ dataFolder, place: this.#place, transfer, bytesMax: codeCacheBytes });
    this.#copies = new CodeCopies(this.#place);
    // What an earlier life left is removed now; where that fails, the attempts that need the place say so.
    this.#cache.open().catch(() => {});
  }

  /** An executor of the same kind that is provided with files. */
  around(executor: Executor): Executor {
    const running = new Set<ProvidedAttempt>();
    return {
      kind: executor.kind,
      start: (attempt, events) => this.#start(executor, attempt, events, running),
      close: async () => {
        const left = [...running];
        for (const each of left) each.stop(0);
        await executor.close();
        await Promise.all(left.map(({ over }) => over));
      },
    };
  }

  /** Once all executors are closed. */
  async close(): Promise<void> {
    await this.#cache.open().catch(() => {});
    await this.#copies.close();
    await this.#cache.settled();
  }

  #start(
    executor: Executor,
    attempt: Attempt,
    events: (event: ExecutorEvent) => void,
    running: Set<ProvidedAttempt>,
  ): Running {
    const { transfer, warns } = this.#options;
    const provided = new ProvidedAttempt(attempt, {
      start: (prepared, told) => executor.start(prepared, told),
      prepare: (signal) => this.#prepare(attempt, signal),
      events,
      over: () => running.delete(provided),
      keeping: { transfer, place: this.#place, warns: (message) => warns(message, attempt.lease.task) },
    });
    provided.begin();
    if (!provided.isOver) running.add(provided);
    return provided;
  }

  /** Fetches what an attempt begins with. @throws Refusal, or what the signal said */
  async #prepare(attempt: Attempt, signal: AbortSignal): Promise<Prepared> {
    const undo: (() => void | Promise<void>)[] = [];
    const release = async () => {
      for (const each of undo.splice(0).reverse()) await each();
    };
    try {
      const coded = attempt.code === undefined ? attempt : await this.#withCode(attempt, undo, signal);
      return { attempt: await this.#withRestored(coded, undo, signal), release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #withCode(
    attempt: Attempt,
    undo: (() => void | Promise<void>)[],
    signal: AbortSignal,
  ): Promise<Attempt> {
    const { code, evaluator, slot } = attempt;
    if (code === undefined || evaluator.kind === "builtin") return attempt;
    const use = await this.#cache.use(code, signal).catch((error) => {
      throw refusalOf(error, "the packed code of the evaluator", signal);
    });
    undo.push(() => use.release());
    const folder = await this.#folderFor(evaluator.kind, { code, slot, cached: use.folder, undo }, signal);
    const placed = placeEvaluator(evaluator, folder);
    if (!placed.ok) throw new Refusal(placed.message, true);
    return { ...attempt, evaluator: placed.evaluator, codeFolder: folder };
  }

  /** Where a kind of evaluator finds its code. */
  async #folderFor(
    kind: "module" | "command" | "python",
    { code, slot, cached, undo }: CodeToPlace,
    signal: AbortSignal,
  ): Promise<string> {
    if (kind === "module") return cached;
    const copied = kind === "python"
      ? this.#copies.ofSlot(slot, code, cached, signal)
      : this.#copies.copy(cached, signal);
    const folder = await copied.catch((error) => {
      throw refusalOf(error, "a copy of the evaluator's code", signal);
    });
    if (kind === "command") undo.push(() => removeAll(folder));
    return folder;
  }

  async #withRestored(
    attempt: Attempt,
    undo: (() => void | Promise<void>)[],
    signal: AbortSignal,
  ): Promise<Attempt> {
    const { restore } = attempt;
    if (restore === undefined) return attempt;
    try {
      const folder = await this.#place.makeFolder();
      undo.push(() => removeAll(folder));
      const pack = this.#place.name();
      undo.push(() => removeAll(pack));
      await this.#options.transfer.get(restore, pack, { signal });
      const within = join(folder, "restored");
      await Deno.mkdir(within);
      const path = await unpackSaved(pack, within, signal);
      await removeAll(pack);
      return { ...attempt, restored: { path, step: restore.step } };
    } catch (error) {
      const what = `the checkpoint of step ${restore.step}`;
      const goneBecause = signal.aborted ? undefined : goneForGood(error);
      if (goneBecause === undefined) throw refusalOf(error, what, signal);
      // A trial must not fail for it: what is reported up to that step again, its curve has already.
      this.#options.warns(
        `${what} is lost: ${goneBecause}; the attempt begins at the beginning`,
        attempt.lease.task,
      );
      return attempt;
    }
  }
}

/** Why an artifact is of no use any more, here and everywhere; undefined where another try may come to something. */
function goneForGood(error: unknown): string | undefined {
  if (error instanceof UnpackError) return error.message;
  return error instanceof ArtifactError && error.kind === "missing" ? error.message : undefined;
}

/** Code that is to be found somewhere. */
interface CodeToPlace {
  readonly code: NonNullable<Attempt["code"]>;
  readonly slot: number;
  readonly cached: string;
  readonly undo: (() => void | Promise<void>)[];
}

/** What went wrong, for people; what the signal said stays as it is. */
function refusalOf(error: unknown, what: string, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof Refusal) return error;
  const words = error instanceof Error ? error.message : String(error);
  // The same bytes are everywhere; all else may be otherwise on another worker, which may have them already.
  if (error instanceof UnpackError) return new Refusal(`${what} cannot be unpacked: ${words}`, true);
  if (error instanceof ArtifactError && error.kind === "missing") {
    return new Refusal(
      `${what} is not at the master any more: ${words}; run the spec again to pack it anew`,
      false,
    );
  }
  return new Refusal(`this worker cannot get ${what}: ${words}`, false);
}
