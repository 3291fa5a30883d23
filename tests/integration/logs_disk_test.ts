/**
 * Logs on a disk that becomes full, and has room again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DiskLogFiles } from "../../master/logs/disk/disk_log_files.ts";
import { LogBook } from "../../master/logs/log_book.ts";
import { LOG_BEGIN, type LogPlace } from "../../master/logs/logs.ts";
import { epochOf, groupId, taskId, workerId } from "../../shared/model/ids.ts";
import { mountSmallDisk } from "./fleet/small_disk.ts";

const LEASE = {
  epoch: epochOf("0123456789abcdef0123456789abcdef", 1, "0a0b0c0d"),
  task: taskId(groupId("g"), 1),
  attempt: 1,
};
const PIECE_BYTES = 20_000;

Deno.test("a disk that was full costs a log nothing, once it has room again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "espalier-logs-" });
  const disk = await mountSmallDisk(`${folder}/small`, "256k");
  try {
    if (disk === undefined) return;
    const files = new DiskLogFiles(`${folder}/small/logs`);
    const said = channel<string>();
    // Time is the test's: what waits is called when it says so.
    let nowMs = 0;
    const waiting: (() => void)[] = [];
    const book = new LogBook({
      files,
      now: () => nowMs,
      wallClock: () => nowMs,
      after: (_delayMs, call) => void waiting.push(call),
      say: (_level, text) => said.push(text),
    });
    const answered = channel<number>();
    const goOn = () => {
      nowMs += 60_000;
      waiting.splice(0).forEach((call) => call());
    };
    let end = 0;
    const take = () => {
      const data = new Uint8Array(PIECE_BYTES).fill(end / PIECE_BYTES);
      const log = { type: "log", ...LEASE, stream: "stdout", offset: end, data } as const;
      book.take({
        worker: workerId("w1"),
        isGranted: true,
        log,
        answer: ({ offset }) => answered.push(offset),
      });
      end += PIECE_BYTES;
      goOn();
    };
    take();
    assert.equal(await answered.next(), PIECE_BYTES);
    await disk.fill();
    take();
    assert.match(await said.next(), /cannot be kept: .*(space|quota).*; all else goes on/i);
    take();
    await disk.makeRoom();
    goOn();
    assert.equal(await said.next(), "logs are kept again");
    while (await answered.next() < end) goOn();
    await files.close();
    assert.deepEqual(await numbers(new DiskLogFiles(`${folder}/small/logs`)), [0, 1, 2]);
  } finally {
    await disk?.unmount();
    await Deno.remove(folder, { recursive: true });
  }
});

/** What each piece is filled with, read from the disk; each must follow the one before. */
async function numbers(files: DiskLogFiles): Promise<number[]> {
  const found: number[] = [];
  let end = 0;
  for (let from: LogPlace = LOG_BEGIN;;) {
    const read = await new Promise<Parameters<Parameters<DiskLogFiles["read"]>[4]>[0]>((done) =>
      files.read(LEASE, "stdout", from, PIECE_BYTES, done)
    );
    assert(read.ok);
    if (read.value.pieces.length === 0) return found;
    for (const { offset, data } of read.value.pieces) {
      assert.equal(offset, end);
      end += data.byteLength;
      found.push(data[0] ?? -1);
    }
    from = read.value.next;
  }
}

/** What is told, for a test to wait for. */
function channel<T>() {
  const items: T[] = [];
  const waiting: ((item: T) => void)[] = [];
  return {
    push(item: T) {
      const next = waiting.shift();
      if (next === undefined) items.push(item);
      else next(item);
    },
    next(): Promise<T> {
      const item = items.shift();
      return item === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(item);
    },
  };
}
