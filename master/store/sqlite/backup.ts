/**
 * A consistent copy of a store that is in use.
 *
 * Promise: the copy appears under its name only when it is whole and on the disk; nothing is overwritten; commits go on
 * meanwhile, because the copy is read by a thread of its own, as one transaction over the log.
 *
 * @module
 */
import type { BackupAnswer, BackupRequest } from "./backup_thread.ts";

/**
 * Copies a store.
 *
 * @param source the store's file
 * @param target where the copy is to be
 * @returns its size in bytes
 * @throws Error where the target exists or cannot be written
 */
export async function backUp(source: string, target: string): Promise<number> {
  if (await exists(target)) throw new Error(`${target} exists already: name another file`);
  const partial = `${target}.${crypto.randomUUID()}.partial`;
  try {
    await copy({ source, target: partial });
    const bytes = await sync(partial);
    await Deno.rename(partial, target);
    await sync(folderOf(target));
    return bytes;
  } catch (error) {
    await remove(partial);
    throw error;
  }
}

function copy(request: BackupRequest): Promise<void> {
  const worker = new Worker(new URL("./backup_thread.ts", import.meta.url), {
    type: "module",
    name: "backup",
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: MessageEvent<BackupAnswer>) => {
    if (data.error === undefined) resolve();
    else reject(new Error(`the backup failed: ${data.error}`));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`the backup's thread has ended: ${event.message}`));
  };
  worker.postMessage(request);
  return promise.finally(() => worker.terminate());
}

/** Brings a file or a folder to the disk. @returns its size */
async function sync(path: string): Promise<number> {
  using file = await Deno.open(path, { read: true });
  await file.sync();
  return (await file.stat()).size;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  if (slash === -1) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}
