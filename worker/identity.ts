/**
 * Who this worker is: a name that lasts, and a data folder that is its alone.
 *
 * Promise: two living processes never hold one folder, so that no two workers bear one name; the system lets go of the
 * folder when the process dies, however it dies.
 *
 * @module
 */
import { join } from "node:path";
import { NAME_PATTERN, type WorkerId, workerId } from "../shared/model/ids.ts";

/** A held data folder. */
export interface Identity {
  readonly worker: WorkerId;
  /** Absolute or as it was given. */
  readonly folder: string;
  /** Lets go of the folder. */
  close(): void;
}

/** Another process holds the folder. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

/**
 * Takes a data folder, and makes it and its name where they are not yet.
 *
 * @throws FolderInUseError where another process holds it, which it names
 * @throws Error where the name in the folder is none
 */
export function openIdentity(folder: string): Identity {
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = takeLock(folder);
  try {
    return { worker: readName(folder) ?? makeName(folder), folder, close: () => letGo(lock) };
  } catch (error) {
    letGo(lock);
    throw error;
  }
}

/** How to wait for a folder. */
export interface FolderWait {
  readonly withinMs: number;
  /** Whether to wait on. */
  isWanted(): boolean;
  /** Told once, where it has to wait. */
  waits(message: string): void;
}

/** A lock cannot be waited for with an end: it is tried again so often. */
const TRY_LOCK_EVERY_MS = 100;

/** Takes a data folder once its holder lets go of it. @throws as `openIdentity` does, after the wait */
export async function awaitIdentity(folder: string, wait: FolderWait): Promise<Identity> {
  const untilMs = performance.now() + wait.withinMs;
  for (let isFirst = true;; isFirst = false) {
    try {
      return openIdentity(folder);
    } catch (error) {
      const isHeld = error instanceof FolderInUseError;
      if (!isHeld || performance.now() >= untilMs || !wait.isWanted()) throw error;
      if (isFirst) wait.waits(error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_LOCK_EVERY_MS));
  }
}

/** Holds the lock, and the number of the process that has it. */
const LOCK_FILE = "lock";
/** Holds the worker's name. */
const NAME_FILE = "worker-id";
/** Random bytes after the name of the machine: two workers of one machine, or two machines of one name. */
const SUFFIX_BYTES = 3;
/** Characters of the machine's name that are used: with the suffix it stays within NAME_PATTERN. */
const HOST_MAX = 60;

function takeLock(folder: string): Deno.FsFile {
  const path = join(folder, LOCK_FILE);
  const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  if (file.tryLockSync(true)) {
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
    return file;
  }
  file.close();
  throw new FolderInUseError(
    `the data folder ${folder} is held by the worker process ${
      holderOf(path)
    }: stop that one, or give this worker ` +
      "a folder of its own",
  );
}

/** A process that is just being started may hold the file open for an instant longer: the lock is not its own. */
function letGo(lock: Deno.FsFile): void {
  lock.unlockSync();
  lock.close();
}

/** The holder writes its number just after it took the lock; for an instant the file may be empty. */
function holderOf(path: string): string {
  return Deno.readTextFileSync(path).trim() || "that has just taken it";
}

function readName(folder: string): WorkerId | undefined {
  const path = join(folder, NAME_FILE);
  try {
    const name = Deno.readTextFileSync(path).trim();
    if (NAME_PATTERN.test(name)) return workerId(name);
    throw new Error(
      `the worker's name in ${path} is ${
        JSON.stringify(name)
      }; it must be of letters, digits and ._-, at most 80 of ` +
        "them: mend it, or remove the file for a new name",
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function makeName(folder: string): WorkerId {
  const suffix = crypto.getRandomValues(new Uint8Array(SUFFIX_BYTES)).toHex();
  const name = `${hostPart(Deno.hostname())}-${suffix}`;
  // Whole or not at all: a name cut short by a crash would be another's.
  const path = join(folder, NAME_FILE), draft = `${path}.new`;
  const file = Deno.openSync(draft, { write: true, create: true, truncate: true, mode: 0o600 });
  file.writeSync(new TextEncoder().encode(`${name}\n`));
  file.syncSync();
  file.close();
  Deno.renameSync(draft, path);
  return workerId(name);
}

/** What of the machine's name may stand in a worker's. */
export function hostPart(hostname: string): string {
  const safe = hostname.replaceAll(/[^A-Za-z0-9._-]/g, "-").replace(/^[._-]+/, "").slice(0, HOST_MAX);
  return safe === "" ? "worker" : safe;
}
