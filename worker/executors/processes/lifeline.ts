/**
 * The lifeline: how processes notice that the worker that started them has died, however it died; and what they are known
 * by afterwards.
 *
 * It is a named pipe that the worker holds open for writing and never writes to. Who reads it is told of the end by the
 * kernel, when the last descriptor of the worker closes. A pipe of `Deno.Command` cannot serve: a process has only three,
 * and the reader of its input must not be the one that waits.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { Cgroups, endEarlierGroups, endGroupsOfNobody } from "./cgroup.ts";
import type { LimitOptions } from "./limits.ts";
import { endStrays } from "./strays.ts";

/** A lifeline of this process. */
export interface Lifeline {
  /** Where it is, for those who hold on to it. */
  readonly path: string;
  /** A folder that nobody else uses and that goes with the lifeline. */
  readonly folder: string;
  /** Control groups for those who hold on to it, where there can be any. */
  readonly cgroups: Cgroups | undefined;
  /**
   * What a process is known by: a name that no other of this or an earlier life has. What was removed is made again.
   *
   * @throws Error where it cannot be
   */
  nextName(): string;
  /** Lets go: everyone who holds on to it ends. */
  close(): void;
}

/** The folder of the lifeline in a data folder. */
const FOLDER = "run";
/** In that folder: where the control groups are. */
const CGROUPS_FILE = "cgroups";
/** In that folder: what the marks of this life's processes begin with, as a line. Half of it would mean others, too. */
const MARKS_FILE = "marks";

/**
 * Makes a lifeline.
 *
 * @param dataFolder a folder that is this process's alone; what a killed process left there is replaced. By default a
 * temporary folder, which a killed process leaves behind
 * @throws Error where the system has no named pipes
 */
export function openLifeline(dataFolder?: string, { cgroups: wanted = true }: LimitOptions = {}): Lifeline {
  const folder = dataFolder === undefined
    ? Deno.makeTempDirSync({ prefix: "espalier-" })
    : emptyFolder(dataFolder);
  const path = `${folder}/lifeline`;
  // Those that were made before stay open: who holds on to one must not take its removal for the worker's end.
  const pipes = [makePipe(path)];
  const life = crypto.randomUUID();
  const cgroups = wanted ? Cgroups.open(life) : undefined;
  const writeDown = () => {
    if (cgroups !== undefined) Deno.writeTextFileSync(join(folder, CGROUPS_FILE), cgroups.folder);
    Deno.writeTextFileSync(join(folder, MARKS_FILE), `${join(folder, life)}-\n`);
  };
  writeDown();
  let names = 0;
  return {
    path,
    folder,
    cgroups,
    nextName() {
      // An evaluator, or whoever tidies up the machine, may have removed it.
      if (!exists(path)) {
        Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
        pipes.push(makePipe(path));
        writeDown();
      }
      names += 1;
      return `${life}-${names}`;
    },
    close() {
      for (const pipe of pipes) pipe.close();
      cgroups?.close();
      if (exists(folder)) Deno.removeSync(folder, { recursive: true });
    },
  };
}

/**
 * Ends what held on to lifelines of earlier processes and outlived them, and removes what those kept beside them.
 *
 * Never rejects: what cannot be removed now may be at the next start.
 *
 * @param dataFolder as it is given to `openLifeline`, and not yet given to it
 */
export function endEarlierLives(dataFolder: string): Promise<void> {
  return Promise.all([endEarlier(dataFolder).catch(() => {}), endGroupsOfNobody().catch(() => {})]).then(
    () => {},
  );
}

async function endEarlier(dataFolder: string): Promise<void> {
  const given = resolve(dataFolder, FOLDER);
  // Set aside at once: this process may open its own while that is removed.
  if (exists(given)) Deno.renameSync(given, `${given}-${crypto.randomUUID()}`);
  if (!exists(dataFolder)) return;
  for (const { name } of Deno.readDirSync(dataFolder)) {
    if (name.startsWith(`${FOLDER}-`)) await endLife(join(dataFolder, name));
  }
}

/** Another worker may call its folder by the same name, in another container: the marks of each life are its own. */
async function endLife(folder: string): Promise<void> {
  const groups = readText(join(folder, CGROUPS_FILE));
  if (groups !== undefined) await endEarlierGroups(groups);
  const marks = readText(join(folder, MARKS_FILE));
  if (marks?.endsWith("\n")) await endStrays((mark) => mark.startsWith(marks.trimEnd()));
  await Deno.remove(folder, { recursive: true });
}

/** @throws Error where the system has no named pipes, or the disk takes none */
function makePipe(path: string): Deno.FsFile {
  const { success, stderr } = new Deno.Command("mkfifo", { args: ["-m", "600", path] }).outputSync();
  if (!success) throw new Error(`mkfifo cannot make ${path}: ${new TextDecoder().decode(stderr).trim()}`);
  // Open for reading too: to open a pipe for writing alone waits for a reader.
  return Deno.openSync(path, { read: true, write: true });
}

function emptyFolder(dataFolder: string): string {
  const folder = resolve(dataFolder, FOLDER);
  if (exists(folder)) Deno.removeSync(folder, { recursive: true });
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Where it lies, whatever it was called at the start: an earlier life is known by that.
  return Deno.realPathSync(folder);
}

function exists(path: string): boolean {
  return readOrNothing(() => Deno.statSync(path)) !== undefined;
}

function readText(path: string): string | undefined {
  return readOrNothing(() => Deno.readTextFileSync(path));
}

function readOrNothing<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
