/**
 * A copy of a store's file to look at: the user's folder is only read.
 *
 * Promise: the copy is consistent, also while a master writes; what a killed master left in its log is in it.
 *
 * SQLite writes beside the file even to read one with a log, so the file and its log are copied. A log holds all
 * that has been brought into the file since the log began anew: a copy of the file and then of its log is consistent
 * unless the log began anew in between.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** How often a copy is tried beside a master that writes, before its log is held. */
const TRIES_MAX = 3;
/** A log's head: a new beginning has other random numbers in it. */
const LOG_HEAD_BYTES = 32;

/** A copy in a folder of its own. */
export interface StoreCopy {
  readonly path: string;
  remove(): void;
}

/**
 * Copies a store's file and its log.
 *
 * @throws what the file system throws, such as for want of room or permission
 */
export function copyStore(path: string): StoreCopy {
  const folder = Deno.makeTempDirSync({ prefix: "espalier-verify-" });
  const copy = { path: `${folder}/copy.db`, remove: () => Deno.removeSync(folder, { recursive: true }) };
  try {
    for (let tries = 0; tries < TRIES_MAX; tries++) if (copyOnce(path, copy.path)) return copy;
    copyBesideWriter(path, copy.path);
    return copy;
  } catch (error) {
    copy.remove();
    throw error;
  }
}

/** @returns whether nothing came in between */
function copyOnce(from: string, to: string): boolean {
  const before = stateOf(from);
  copyFiles(from, to);
  return before === stateOf(from);
}

function copyFiles(from: string, to: string): void {
  writable(() => Deno.copyFileSync(from, to), to);
  try {
    writable(() => Deno.copyFileSync(`${from}-wal`, `${to}-wal`), `${to}-wal`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // The one of an earlier try belongs to another state of the file.
    removeIfThere(`${to}-wal`);
  }
}

/** The copy of a file that may not be written may be. */
function writable(copy: () => void, to: string): void {
  removeIfThere(to);
  copy();
  Deno.chmodSync(to, 0o600);
}

/** Which log there is, and which file where there is none. */
function stateOf(path: string): string {
  const head = logHead(`${path}-wal`);
  if (head !== "") return head;
  const { size, mtime } = Deno.statSync(path);
  return `${size} ${mtime?.getTime()}`;
}

function logHead(path: string): string {
  try {
    using file = Deno.openSync(path);
    const head = new Uint8Array(LOG_HEAD_BYTES);
    const read = file.readSync(head) ?? 0;
    return read < LOG_HEAD_BYTES ? "" : head.toHex();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** While somebody reads, a log does not begin anew; a master at work has made the files that reading needs. */
function copyBesideWriter(from: string, to: string): void {
  const reader = new DatabaseSync(from, { readOnly: true });
  try {
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM sqlite_schema").get();
    copyFiles(from, to);
  } finally {
    reader.close();
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
