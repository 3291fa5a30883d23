/**
 * What the Python attempts of one worker share: its folders, its lifeline, its warm processes.
 *
 * @module
 */
import { join } from "node:path";
import { AttemptFolders } from "../attempt_folders.ts";
import { openLifeline } from "../processes/lifeline.ts";
import type { LimitOptions } from "../processes/limits.ts";
import { type PythonCode, PythonProcess } from "./python_process.ts";
import { pythonHarness } from "./python_program.ts";
import { WarmProcesses } from "../processes/warm_processes.ts";

/** How Python files are run. */
export interface PythonOptions extends LimitOptions {
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

/** The folder of the lifeline, in the data folder. */
export const PYTHON_LIFELINE = "python";

/** Makes the place. @throws Error where this machine cannot */
export function openPythonPlace(options: PythonOptions): PythonPlace {
  const { folder: given, folders: shared, idleMs } = options;
  const folder = given ?? Deno.makeTempDirSync({ prefix: "espalier-python-" });
  const folders = shared ?? new AttemptFolders(folder);
  const lifeline = openLifeline(join(folder, PYTHON_LIFELINE), options);
  const processes = new WarmProcesses<PythonCode, PythonProcess>({
    start: (code) => new PythonProcess(code, { harness: pythonHarness(lifeline.folder), lifeline }),
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
