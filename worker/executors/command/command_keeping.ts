/**
 * What a command says it has saved: lines such as `[tune-checkpoint]: {"step": 7, "path": "model.pt"}` become snapshots.
 *
 * Promise: reading a program's output never waits for its files; however many lines it prints, one checkpoint waits at
 * most (the newest), and so many files as are kept of an attempt.
 *
 * @module
 */
import { dirname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { isFileName } from "../../../shared/model/artifact.ts";
import { CHECKPOINT_MARK, FILE_MARK, type MarkedLine } from "../line_reader.ts";
import { type FileState, isBelow, stateOf, takeSnapshot } from "../snapshot.ts";

/** Files that one attempt may have kept by its own word. */
export const ATTEMPT_FILES_MAX = 1_000;

/** Where an attempt's files are. */
export interface KeepingPlaces {
  /** The attempt's own. */
  readonly folder: string;
  /** Its checkpoints'. */
  readonly checkpoints: string;
  /** What the names of its snapshots begin with: a path that nobody else uses. */
  readonly snapshots: string;
}

/** Whom it tells. */
export interface KeepingListener {
  checkpoint(step: number, path: string): void;
  file(name: string, path: string): void;
  warns(message: string): void;
}

interface Wanted {
  readonly path: string;
  readonly tell: (snapshot: string) => void;
  /** Said before what is wrong with it. */
  readonly what: string;
  /** Its copy has its name in a folder of its own: so a checkpoint comes back as it was. */
  readonly name: string | undefined;
  readonly state: Promise<FileState | undefined>;
}

const checkpointLine = z.strictObject({
  step: z.int().nonnegative().optional(),
  path: z.string().optional(),
});
const fileLine = z.strictObject({ path: z.string(), name: z.string().optional() });

/** Takes the snapshots of one attempt, one after another. */
export class CommandKeeping {
  readonly #places: KeepingPlaces;
  readonly #listener: KeepingListener;
  #checkpoint: Wanted | undefined;
  readonly #files: Wanted[] = [];
  #filesAsked = 0;
  #taken = 0;
  #work: Promise<void> | undefined;

  constructor(places: KeepingPlaces, listener: KeepingListener) {
    this.#places = places;
    this.#listener = listener;
  }

  /** A line with one of the two marks. @param lastStep of the reports before it */
  said({ mark, text, isCut }: MarkedLine, lastStep: number): void {
    const wrong = (problem: string) =>
      this.#listener.warns(`a line ${mark} was dropped: ${isCut ? "it is too long" : problem}`);
    const value = parse(text);
    if (mark === CHECKPOINT_MARK) {
      const line = checkpointLine.safeParse(value);
      if (isCut || !line.success) return wrong(`expected ${CHECKPOINT_MARK} {"step": 7, "path": "model.pt"}`);
      this.#wantCheckpoint(line.data.path ?? ".", line.data.step ?? lastStep);
    } else if (mark === FILE_MARK) {
      const line = fileLine.safeParse(value);
      if (isCut || !line.success) return wrong(`expected ${FILE_MARK} {"path": "plot.png"}`);
      this.#wantFile(line.data.path, line.data.name);
    }
  }

  /** Resolves when all that was asked for is taken or dropped. */
  async done(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }

  #wantCheckpoint(given: string, step: number): void {
    const { checkpoints } = this.#places;
    const path = resolve(checkpoints, given);
    if (!isBelow(checkpoints, path)) {
      return this.#listener.warns(
        `a checkpoint was dropped: ${given} lies outside of ESPALIER_CHECKPOINT, the folder that it has to be in`,
      );
    }
    const name = relative(checkpoints, path);
    this.#checkpoint = {
      path,
      name,
      what: `the checkpoint of step ${step}, ${name === "" ? "all of ESPALIER_CHECKPOINT" : name}`,
      tell: (snapshot) => this.#listener.checkpoint(step, snapshot),
      state: stateOf(path).catch(() => undefined),
    };
    this.#begin();
  }

  #wantFile(given: string, name: string | undefined): void {
    const { folder } = this.#places;
    const path = resolve(folder, given);
    const kept = name ?? relative(folder, path);
    if (!isBelow(folder, path)) {
      return this.#listener.warns(
        `a file was dropped: ${given} lies outside of ESPALIER_DIR, the folder that it has to be in`,
      );
    }
    if (!isFileName(kept)) {
      return this.#listener.warns(
        `a file was dropped: "${kept}" is no name for a file, such as plots/loss.png`,
      );
    }
    this.#filesAsked += 1;
    if (this.#filesAsked > ATTEMPT_FILES_MAX) {
      return this.#listener.warns(`the file ${kept} was dropped: an attempt may keep ${ATTEMPT_FILES_MAX}`);
    }
    this.#files.push({
      path,
      name: undefined,
      what: `the file ${kept}`,
      tell: (snapshot) => this.#listener.file(kept, snapshot),
      state: stateOf(path).catch(() => undefined),
    });
    this.#begin();
  }

  #begin(): void {
    this.#work ??= this.#takeAll().finally(() => this.#work = undefined);
  }

  async #takeAll(): Promise<void> {
    for (;;) {
      const next = this.#files.shift() ?? this.#checkpoint;
      if (next === undefined) return;
      if (next === this.#checkpoint) this.#checkpoint = undefined;
      await this.#take(next);
    }
  }

  async #take({ path, name, what, tell, state }: Wanted): Promise<void> {
    this.#taken += 1;
    const snapshot = `${this.#places.snapshots}${this.#taken}`;
    const problem = await this.#copy(path, name, snapshot, await state);
    if (problem === undefined) return tell(snapshot);
    await Deno.remove(snapshot, { recursive: true }).catch(() => {});
    this.#listener.warns(`${what} was dropped: ${problem}`);
  }

  async #copy(
    path: string,
    name: string | undefined,
    snapshot: string,
    state: FileState | undefined,
  ): Promise<string | undefined> {
    if (state === undefined) return "it is not there";
    if (state.kind === "link") return "it is a link: name what it leads to";
    const { folder, checkpoints } = this.#places;
    if (!await isReallyBelow(name === undefined ? folder : checkpoints, path)) {
      return "a link leads out of the folder that it has to be in";
    }
    if (name === undefined) {
      return state.kind === "file"
        ? await takeSnapshot(path, snapshot, state)
        : "it is no file: name files one by one";
    }
    if (name === "") return await takeSnapshot(path, snapshot, state);
    try {
      await Deno.mkdir(join(snapshot, dirname(name)), { recursive: true, mode: 0o700 });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return await takeSnapshot(path, join(snapshot, name), state);
  }
}

/** A folder on the way may be a link. */
async function isReallyBelow(folder: string, path: string): Promise<boolean> {
  try {
    return isBelow(await Deno.realPath(folder), await Deno.realPath(path));
  } catch {
    return false;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
