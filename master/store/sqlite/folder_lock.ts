/**
 * One writer a folder: a lock of the operating system's, which ends with the process that holds it.
 *
 * SQLite's own locks are taken for each transaction only: between them a second master could come in.
 *
 * @module
 */

/** The name of the file that is locked. It stays when the lock goes: only the lock says who is there. */
const LOCK_FILE = "master.lock";

/** Another process, or another store of this one, holds the folder. */
export class InUse extends Error {}

/** A held lock. */
export interface FolderLock {
  release(): void;
}

/**
 * Locks a folder, which is made where there is none.
 *
 * @throws InUse naming who holds it, or what the file system throws
 */
export function lockFolder(folder: string): FolderLock {
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = `${folder}/${LOCK_FILE}`;
  const file = Deno.openSync(path, { create: true, read: true, write: true, mode: 0o600 });
  if (!file.tryLockSync(true)) {
    file.close();
    throw new InUse(
      `the data folder ${folder} is in use by ${holder(path)}: stop it, or name another folder`,
    );
  }
  try {
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(JSON.stringify({ pid: Deno.pid, host: Deno.hostname() })));
  } catch (error) {
    // A full disk, perhaps: kept open, it would lock this very process out when it tries again.
    file.close();
    throw error;
  }
  return {
    release: () => {
      // A process that is just being started may hold the file open for an instant longer.
      file.unlockSync();
      file.close();
    },
  };
}

function holder(path: string): string {
  try {
    const { pid, host } = JSON.parse(Deno.readTextFileSync(path));
    return `process ${Number(pid)} on ${String(host)}`;
  } catch {
    // Between its lock and its name.
    return "another process";
  }
}
