/**
 * The lifeline: how processes notice that the worker that started them has died, however it died.
 *
 * It is a named pipe that the worker holds open for writing and never writes to. Who reads it is told of the end by the
 * kernel, when the last descriptor of the worker closes. A pipe of `Deno.Command` cannot serve: a process has only three,
 * and the reader of its input must not be the one that waits.
 *
 * @module
 */
import { resolve } from "node:path";

/** A lifeline of this process. */
export interface Lifeline {
  /** Where it is, for those who hold on to it. */
  readonly path: string;
  /** A folder that nobody else uses and that goes with the lifeline. */
  readonly folder: string;
  /** Lets go: everyone who holds on to it ends. */
  close(): void;
}

/** The folder of the lifeline in a data folder. */
const FOLDER = "run";

/**
 * Makes a lifeline.
 *
 * @param dataFolder a folder that is this process's alone; what a killed process left there is replaced. By default a
 * temporary folder, which a killed process leaves behind
 * @throws Error where the system has no named pipes
 */
export function openLifeline(dataFolder?: string): Lifeline {
  const folder = dataFolder === undefined
    ? Deno.makeTempDirSync({ prefix: "espalier-" })
    : emptyFolder(dataFolder);
  const path = `${folder}/lifeline`;
  const { success, stderr } = new Deno.Command("mkfifo", { args: ["-m", "600", path] }).outputSync();
  if (!success) throw new Error(`mkfifo cannot make ${path}: ${new TextDecoder().decode(stderr).trim()}`);
  // Open for reading too: to open a pipe for writing alone waits for a reader.
  const pipe = Deno.openSync(path, { read: true, write: true });
  return {
    path,
    folder,
    close() {
      pipe.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

function emptyFolder(dataFolder: string): string {
  const folder = resolve(dataFolder, FOLDER);
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
