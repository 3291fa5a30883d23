/**
 * A copy of all that the simulator runs, in a folder of its own, where a mutant may be put in and taken out again.
 *
 * Promise: the project's own files are only read; the folder is gone after `remove`.
 *
 * @module
 */
import { mutated, type SourceMutant } from "./named_mutant.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const FOLDERS = ["shared", "master", "worker", "client", "tests/simulation"];
const FILES = ["deno.json", "deno.lock"];

/** A copy of the source. */
export class SourceCopy {
  readonly path: string;

  constructor() {
    this.path = Deno.makeTempDirSync({ prefix: "espalier-mutant-" });
    for (const folder of FOLDERS) copyFolder(ROOT + folder, `${this.path}/${folder}`);
    for (const file of FILES) Deno.copyFileSync(ROOT + file, `${this.path}/${file}`);
  }

  /** Puts a fault in. @returns how to take it out */
  put(mutant: SourceMutant): () => void {
    const path = `${this.path}/${mutant.file}`;
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, mutated(text, mutant));
    return () => Deno.writeTextFileSync(path, text);
  }

  remove(): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(`${from}/${name}`, `${to}/${name}`);
    else if (/\.(tsx?|json)$/.test(name)) Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}
