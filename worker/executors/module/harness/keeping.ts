/**
 * What an evaluator keeps: its attempt's folder, checkpoints and files, in a folder that its process may write to.
 *
 * @module
 */
import type { Kept, Restored } from "./message.ts";

/** What can be kept. */
export type Data = Uint8Array | string;

/** The checkpoint that an attempt goes on from, as its evaluator sees it. */
export interface RestoredCheckpoint {
  /** What it had reported last. */
  readonly step: number;
  /** The file, or the folder. */
  readonly path: string;
  /** All bytes of the file. */
  read(): Uint8Array;
}

/** The longest name of a file, in characters; as the model has it, which the harness cannot import. */
export const FILE_NAME_MAX = 1_024;

/** Keeps things of one attempt. */
export class Keeping {
  readonly #scratch: string;
  readonly #id: number;
  #kept = 0;
  #isMade = false;

  /** @param scratch a folder that the process may write to, absolute; empty where there is none */
  constructor(scratch: string, id: number) {
    this.#scratch = scratch;
    this.#id = id;
  }

  /** The attempt's own folder; made when it is first asked for. */
  folder(): string {
    const path = `${this.#root()}/${this.#id}`;
    if (!this.#isMade) Deno.mkdirSync(path, { recursive: true });
    this.#isMade = true;
    return path;
  }

  checkpoint(step: unknown, data: unknown): Kept {
    if (typeof step !== "number" || !Number.isSafeInteger(step) || step < 0) {
      throw new TypeError(
        `checkpoint needs a step, a whole number from 0, and was given ${Deno.inspect(step)}`,
      );
    }
    return { type: "checkpoint", id: this.#id, step, file: this.#write("checkpoint", data) };
  }

  artifact(name: unknown, data: unknown): Kept {
    if (typeof name !== "string" || !isFileName(name)) {
      throw new TypeError(
        `artifact needs a name, a relative path that stays in its folder, and was given ${
          Deno.inspect(name)
        }`,
      );
    }
    return { type: "file", id: this.#id, name, file: this.#write("artifact", data) };
  }

  /** What was restored. */
  restored(given: Restored | undefined): RestoredCheckpoint | undefined {
    if (given === undefined) return undefined;
    const { step } = given;
    const path = `${this.#root()}/${given.file}`;
    return { step, path, read: () => Deno.readFileSync(path) };
  }

  /** Whole before anyone is told of it: what is killed meanwhile leaves nothing that could be taken for it. */
  #write(what: string, data: unknown): string {
    if (!(data instanceof Uint8Array) && typeof data !== "string") {
      throw new TypeError(`${what} needs bytes (a Uint8Array) or text, and was given ${nameOf(data)}`);
    }
    this.#kept += 1;
    const file = `${this.#id}-kept-${this.#kept}`;
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    Deno.writeFileSync(`${this.#root()}/${file}`, bytes);
    return file;
  }

  #root(): string {
    if (this.#scratch !== "") return this.#scratch;
    throw new Error(
      "nothing can be kept on this worker: its data folder has a comma in its path, which Deno cannot be told of",
    );
  }
}

function isFileName(name: string): boolean {
  if (name.length === 0 || name.length > FILE_NAME_MAX || /[\0\\\n\r]/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function nameOf(data: unknown): string {
  if (data === null || data === undefined) return String(data);
  return typeof data === "object" ? `a ${data.constructor?.name ?? "object"}` : `a ${typeof data}`;
}
