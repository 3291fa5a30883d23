/**
 * What the Python attempts of one worker share: its folders, its lifeline, its warm processes.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { AttemptFolders } from "./command_folders.ts";
import { openLifeline } from "./lifeline.ts";
import { type PythonCode, PythonProcess } from "./python_process.ts";
import { pythonHarness } from "./python_program.ts";
import { WarmProcesses } from "./warm_processes.ts";

/** How Python files are run. */
export interface PythonOptions {
  /** The worker's data folder, held by this process alone. By default a temporary one, removed at the close. */
  readonly folder?: string | undefined;
  /** The folders of attempts, where other executors make theirs beside them; by default in the data folder. */
  readonly folders?: AttemptFolders | undefined;
  /** How long an idle process is kept. */
  readonly idleMs?: number | undefined;
  /** Told what is not as it should be, and no failure. */
  readonly warns?: ((message: string, task: string) => void) | undefined;
}

/** An idle process is kept so long, unless told; with what it has imported it may take hundreds of megabytes. */
export const PYTHON_IDLE_DEFAULT_MS = 10 * 60_000;

/** Where Python attempts are. */
export interface PythonPlace {
  readonly folders: AttemptFolders;
  readonly processes: WarmProcesses<PythonCode, PythonProcess>;
  /** What the names of snapshots begin with: copies of what attempts save. */
  readonly snapshots: string;
  /** Ends all processes; the attempts have ended. */
  close(): Promise<void>;
}

/** What the marks of all Python processes of a data folder begin with, in this worker's life and in earlier ones. */
export function pythonMarks(folder: string): string {
  return join(resolve(folder), "python", "process-");
}

/** Makes the place. @param mark what the marks of its processes begin with @throws Error where this machine cannot */
export function openPythonPlace(
  { folder: given, folders: shared, idleMs }: PythonOptions,
  mark: string,
): PythonPlace {
  const folder = given ?? Deno.makeTempDirSync({ prefix: "espalier-python-" });
  const folders = shared ?? new AttemptFolders(folder);
  const lifeline = openLifeline(join(folder, "python"));
  const harness = pythonHarness(lifeline.folder);
  let started = 0;
  const processes = new WarmProcesses<PythonCode, PythonProcess>({
    start(code) {
      started += 1;
      return new PythonProcess(code, { harness, lifeline, mark: `${mark}${started}` });
    },
    isSame: (a, b) => JSON.stringify(a) === JSON.stringify(b),
    close: () => lifeline.close(),
  }, { slots: 0, idleMaxMs: idleMs ?? PYTHON_IDLE_DEFAULT_MS });
  return {
    folders,
    processes,
    snapshots: join(lifeline.folder, "kept-"),
    async close() {
      await processes.close();
      await folders.settled();
      if (given === undefined) await Deno.remove(folder, { recursive: true });
    },
  };
}
