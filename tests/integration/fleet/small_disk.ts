/**
 * Disks that become full, and empty again.
 *
 * @module
 */
import { match } from "node:assert/strict";

/** A disk that a test can fill. */
export interface SmallDisk {
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts a small disk on a folder; undefined, with a word why, where this process may not. */
export async function mountSmallDisk(folder: string, size: string): Promise<SmallDisk | undefined> {
  await Deno.mkdir(folder, { recursive: true });
  try {
    await run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
  } catch (error) {
    console.log(`a full disk is not tested here, files that may not grow are: ${error}`);
    return undefined;
  }
  const filler = `${folder}/filler`;
  return {
    fill: () => fillUp(filler),
    makeRoom: () => Deno.remove(filler),
    unmount: () => run("umount", folder),
  };
}

/**
 * The files of a process may not grow: for SQLite that is a disk as full.
 *
 * @param pid of a process that ignores SIGXFSZ; others are ended by the limit
 */
export function limitFiles(pid: number): SmallDisk {
  const limit = (bytes: string) => run("prlimit", "--pid", String(pid), `--fsize=${bytes}`);
  return {
    // The hard limit stays, or only root could lift the soft one.
    fill: () => limit("4096:unlimited"),
    makeRoom: () => limit("unlimited:unlimited"),
    unmount: () => Promise.resolve(),
  };
}

/** What a shell does so that the process after it ignores the signal of the limit. */
export const IGNORE_FILE_LIMIT = 'trap "" XFSZ';

async function fillUp(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const block = new Uint8Array(4_096);
  try {
    for (;;) await file.write(block);
  } catch (error) {
    match(String(error), /space|quota/i);
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
