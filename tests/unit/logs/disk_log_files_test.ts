/**
 * Logs on a real disk: what stays of a flood, what a crash tears, what goes when there is too much.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DiskLogFiles } from "../../../master/logs/disk/disk_log_files.ts";
import { LogRetention } from "../../../master/logs/disk/retention.ts";
import { HEAD_SEGMENTS, SEGMENT_BYTES, TAIL_SEGMENTS } from "../../../master/logs/disk/segment.ts";
import type { Done, KeptEnds } from "../../../master/logs/log_files.ts";
import { type KeptPiece, LOG_BEGIN, type Stream } from "../../../master/logs/logs.ts";
import { epochOf, groupId, taskId } from "../../../shared/model/ids.ts";
import type { Lease } from "../../../shared/model/task.ts";

const EPOCH = epochOf("0123456789abcdef0123456789abcdef", 3, "0a0b0c0d");
const PIECE_BYTES = 64 * 1024;

function leaseOf(number: number, attempt = 1): Lease {
  return { epoch: EPOCH, task: taskId(groupId("g"), number), attempt };
}

/** A call as a promise. */
function called<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    call((result) => result.ok ? resolve(result.value) : reject(new Error(result.reason)))
  );
}

/** Appends to the standard output of an attempt. */
function append(files: DiskLogFiles, lease: Lease, offset: number, data: Uint8Array | string): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const stdout = [{ offset, data: bytes, atMs: offset }];
  return called((done) => files.append(lease, "w1", { stdout, stderr: [] }, done));
}

function endsOf(files: DiskLogFiles, lease: Lease): Promise<KeptEnds | null> {
  return called((done) => files.ends(lease, done));
}

async function readAll(files: DiskLogFiles, lease: Lease, stream: Stream = "stdout"): Promise<KeptPiece[]> {
  const all: KeptPiece[] = [];
  for (let from = LOG_BEGIN;;) {
    const read = await called<{ pieces: readonly KeptPiece[]; next: typeof from }>((done) =>
      files.read(lease, stream, from, PIECE_BYTES, done)
    );
    if (read.pieces.length === 0) return all;
    all.push(...read.pieces);
    from = read.next;
  }
}

const textOf = (pieces: readonly KeptPiece[]) =>
  pieces.map(({ data }) => new TextDecoder().decode(data)).join("");

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-logs-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) files.push(...(await filesBelow(`${folder}/${name}`)));
    else files.push(`${folder}/${name}`);
  }
  return files;
}

Deno.test("what was appended is read by another life, before and after it is compressed", () =>
  inFolder(async (folder) => {
    const files = new DiskLogFiles(folder);
    await append(files, leaseOf(1), 0, "one ");
    await append(files, leaseOf(1), 4, "two");
    const other = new DiskLogFiles(folder);
    assert.equal(textOf(await readAll(other, leaseOf(1))), "one two");
    assert.deepEqual(await endsOf(other, leaseOf(1)), {
      worker: "w1",
      stdout: 7,
      stderr: 0,
    });
    const attempts = () => called((done) => other.attempts(leaseOf(1).task, done));
    assert.deepEqual(await attempts(), [{ lease: leaseOf(1), worker: "w1", isComplete: false }]);
    await called<void>((done) => other.complete(leaseOf(1), done));
    assert.deepEqual(await attempts(), [{ lease: leaseOf(1), worker: "w1", isComplete: true }]);
    assert.deepEqual(await filesBelow(folder), [`${folder}/g/1/3.0a0b0c0d.1.stdout.0.gz`]);
    // A worker that was called lost comes back with more.
    await append(new DiskLogFiles(folder), leaseOf(1), 7, " three");
    assert.equal(textOf(await readAll(files, leaseOf(1))), "one two three");
    assert.equal((await endsOf(files, leaseOf(1)))?.stdout, 13);
  }));

Deno.test("of a flood the head and the tail stay, and the files say what is missing between", () =>
  inFolder(async (folder) => {
    let bytes = 0;
    const files = new DiskLogFiles(folder, (wrote) => bytes += wrote);
    const count = 100;
    for (let i = 0; i < count; i++) {
      await append(files, leaseOf(1), i * PIECE_BYTES, new Uint8Array(PIECE_BYTES).fill(i));
    }
    const pieces = await readAll(files, leaseOf(1));
    const numbers = pieces.map(({ data }) => data[0] ?? -1);
    const perSegment = SEGMENT_BYTES / PIECE_BYTES;
    assert.deepEqual(numbers.slice(0, HEAD_SEGMENTS * perSegment), [0, 1, 2, 3, 4, 5, 6, 7]);
    const tail = numbers.slice(HEAD_SEGMENTS * perSegment);
    assert.ok(tail.length >= (TAIL_SEGMENTS - 1) * perSegment, `${tail}`);
    assert.deepEqual(tail, Array.from(tail, (_, index) => count - tail.length + index));
    assert.ok(pieces.every(({ offset, data }) => offset === (data[0] ?? -1) * PIECE_BYTES));
    const sizes = await Promise.all((await filesBelow(folder)).map((path) => Deno.stat(path)));
    const onDisk = sizes.reduce((sum, { size }) => sum + size, 0);
    assert.equal(onDisk, bytes);
    assert.ok(onDisk < 1.5 * 1024 * 1024, `${onDisk}`);
  }));

Deno.test("what a crash tore is cut off, and its worker's next words follow what is whole", () =>
  inFolder(async (folder) => {
    await append(new DiskLogFiles(folder), leaseOf(1), 0, "whole");
    const [path = ""] = await filesBelow(folder);
    const whole = await Deno.readFile(path);
    await append(new DiskLogFiles(folder), leaseOf(1), 5, "torn");
    for (const cut of [1, 3, 20]) {
      const torn = await Deno.readFile(path);
      await Deno.writeFile(path, torn.subarray(0, torn.byteLength - cut));
      const files = new DiskLogFiles(folder);
      assert.equal((await endsOf(files, leaseOf(1)))?.stdout, 5);
      await append(files, leaseOf(1), 5, "torn");
      assert.equal(textOf(await readAll(files, leaseOf(1))), "wholetorn");
    }
    // Only its beginning was written.
    await Deno.writeFile(path, whole.subarray(0, 7));
    const files = new DiskLogFiles(folder);
    assert.equal(await endsOf(files, leaseOf(1)), null);
    await append(files, leaseOf(1), 0, "anew");
    assert.equal(textOf(await readAll(files, leaseOf(1))), "anew");
  }));

Deno.test("what a crash tore at the beginning of a segment leaves those before it as they are", () =>
  inFolder(async (folder) => {
    const files = new DiskLogFiles(folder);
    for (let i = 0; i < 5; i++) await append(files, leaseOf(1), i * PIECE_BYTES, new Uint8Array(PIECE_BYTES));
    const path = `${folder}/g/1/3.0a0b0c0d.1.stdout.1`;
    await Deno.truncate(path, (await Deno.stat(path)).size - 1);
    const again = new DiskLogFiles(folder);
    assert.equal((await endsOf(again, leaseOf(1)))?.stdout, 4 * PIECE_BYTES);
    await append(again, leaseOf(1), 4 * PIECE_BYTES, "end");
    assert.equal(textOf(await readAll(again, leaseOf(1))).length, 4 * PIECE_BYTES + 3);
  }));

Deno.test("a write that failed counts for nothing, and the next one finds everything as it was", () =>
  inFolder(async (folder) => {
    const files = new DiskLogFiles(folder);
    await append(files, leaseOf(1), 0, "out");
    // A folder in the way of the other stream's file.
    await Deno.mkdir(`${folder}/g/1/3.0a0b0c0d.1.stderr.0`);
    const data = new TextEncoder().encode("more");
    const pieces = { stdout: [{ offset: 3, data, atMs: 1 }], stderr: [{ offset: 0, data, atMs: 1 }] };
    await assert.rejects(called<void>((done) => files.append(leaseOf(1), "w1", pieces, done)));
    await Deno.remove(`${folder}/g/1/3.0a0b0c0d.1.stderr.0`);
    await called<void>((done) => files.append(leaseOf(1), "w1", pieces, done));
    assert.equal(textOf(await readAll(files, leaseOf(1))), "outmore");
    assert.equal(textOf(await readAll(files, leaseOf(1), "stderr")), "more");
  }));

Deno.test("the oldest tasks' logs go when there are too many, and none that is being written", () =>
  inFolder(async (folder) => {
    const files = new DiskLogFiles(folder);
    for (let number = 1; number <= 10; number++) {
      await append(files, leaseOf(number), 0, "text");
      if (number !== 2) await called<void>((done) => files.complete(leaseOf(number), done));
      const at = new Date(Date.now() - (20 - number) * 86_400_000);
      for (const path of await filesBelow(`${folder}/g/${number}`)) await Deno.utime(path, at, at);
    }
    const retention = (limitBytes: number, keptMs: number) =>
      new LogRetention({ folder, limitBytes, keptMs, isOpen: (task) => files.isOpen(task), say: () => {} });
    const left = async () =>
      (await Array.fromAsync(Deno.readDir(`${folder}/g`))).map(({ name }) => Number(name)).toSorted((a, b) =>
        a - b
      );
    await retention(Infinity, 15.5 * 86_400_000).look();
    assert.deepEqual(await left(), [2, 5, 6, 7, 8, 9, 10]);
    // Each takes a block for its folder and one for its file.
    await retention(6 * 8_192, Infinity).look();
    assert.deepEqual(await left(), [2, 7, 8, 9, 10]);
    await called<void>((done) => files.complete(leaseOf(2), done));
    await retention(1, Infinity).look();
    assert.deepEqual(await filesBelow(folder), []);
  }));
