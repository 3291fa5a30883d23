/**
 * Who may write a log, what is answered when, and what a broken disk costs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LogBook, PENDING_BYTES_MAX, WRITE_AGAIN_MS } from "../../../master/logs/log_book.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import { epochOf, groupId, taskId, workerId } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Logged } from "../../../shared/protocol/worker_envelopes.ts";
import { MemoryLogs } from "../../simulation/memory_logs.ts";

const EPOCH = epochOf("0123456789abcdef0123456789abcdef", 1, "0a0b0c0d");
const leaseOf = (attempt: number, number = 1) => ({
  epoch: EPOCH,
  task: taskId(groupId("g"), number),
  attempt,
});

/** A book over logs in memory. */
function newBook(logs = new MemoryLogs()) {
  const loop = new VirtualLoop(seededRandom("book"));
  const said: string[] = [];
  const answers: Logged[] = [];
  const disk: { failure: string | undefined } = { failure: undefined };
  const book = new LogBook({
    files: logs.files((call) => void loop.timer(1, call), () => disk.failure),
    now: () => loop.now(),
    wallClock: () => loop.wallClock(),
    after: (delayMs, call) => void loop.timer(delayMs, call),
    say: (_level, text) => said.push(text),
  });
  const take = (
    text: string,
    offset: number,
    { worker = "w1", isGranted = true, attempt = 1, number = 1, last = false } = {},
  ) =>
    book.take({
      worker: workerId(worker),
      isGranted,
      log: {
        type: "log",
        ...leaseOf(attempt, number),
        stream: "stdout",
        offset,
        data: new TextEncoder().encode(text),
        last,
      },
      answer: (logged) => answers.push(logged),
    });
  const text = (attempt = 1) =>
    (logs.kept.get(leaseKey(leaseOf(attempt)))?.stdout ?? []).map(({ data }) =>
      new TextDecoder().decode(data)
    )
      .join("");
  return { loop, book, logs, said, answers, disk, take, text, pass: (ms: number) => loop.runFor(ms) };
}

Deno.test("a piece is answered once it is kept, and one that comes twice is kept once", () => {
  const { take, answers, text, pass } = newBook();
  take("one ", 0);
  assert.equal(answers.length, 0);
  pass(500);
  assert.deepEqual(answers.map(({ offset }) => offset), [4]);
  take("one two", 0);
  take("two", 4);
  pass(500);
  assert.equal(text(), "one two");
  assert.equal(answers.at(-1)?.offset, 7);
});

Deno.test("nobody writes into the log of another's attempt, and is answered all the same", () => {
  const { take, answers, text, pass, logs } = newBook();
  take("forged", 0, { worker: "w2", isGranted: false });
  take("mine", 0);
  take("forged again", 4, { worker: "w2", isGranted: false });
  pass(500);
  assert.equal(text(), "mine");
  assert.deepEqual(answers.map(({ offset }) => offset).toSorted(), [16, 4, 6]);
  take("nobody's", 0, { worker: "w2", isGranted: false, attempt: 2 });
  pass(500);
  assert.equal(logs.kept.size, 1);
});

Deno.test("after a restart of the master its worker goes on, also with what came twice", () => {
  const before = newBook();
  before.take("one ", 0);
  before.pass(500);
  const after = newBook(before.logs);
  // The lease is over by now: what is kept says whose it was.
  after.take("one two", 0, { isGranted: false, last: true });
  after.take("forged", 7, { isGranted: false, worker: "w2" });
  after.pass(500);
  assert.equal(after.text(), "one two");
  assert.equal(after.answers.filter(({ offset }) => offset === 7).length, 1);
  assert.equal(before.logs.kept.get(leaseKey(leaseOf(1)))?.isComplete, true);
});

Deno.test("a full disk is said once, holds answers back, and heals without a gap", () => {
  const { take, answers, text, pass, disk, said } = newBook();
  take("one ", 0);
  pass(500);
  disk.failure = "no space left on device";
  take("two ", 4);
  pass(WRITE_AGAIN_MS * 3);
  take("three", 8);
  pass(WRITE_AGAIN_MS * 3);
  assert.deepEqual(answers.map(({ offset }) => offset), [4]);
  assert.equal(said.length, 1);
  assert.match(said.join(), /no space left on device; all else goes on/);
  disk.failure = undefined;
  pass(WRITE_AGAIN_MS * 2);
  assert.equal(text(), "one two three");
  assert.equal(answers.at(-1)?.offset, 13);
  assert.deepEqual(said.slice(1), ["logs are kept again"]);
});

Deno.test("what a thousand attempts bring while the disk is full takes bounded memory", () => {
  const { take, pass, disk, book, answers } = newBook();
  for (let number = 1; number <= 1_000; number++) take("begin", 0, { number });
  pass(1_000);
  disk.failure = "full";
  const piece = "x".repeat(64 * 1024);
  for (let number = 1; number <= 1_000; number++) take(piece, 5, { number });
  pass(1_000);
  assert.ok(book.pendingBytes <= PENDING_BYTES_MAX + piece.length, `${book.pendingBytes}`);
  disk.failure = undefined;
  const before = answers.length;
  pass(WRITE_AGAIN_MS * 3);
  assert.equal(book.pendingBytes, 0);
  assert.equal(answers.length - before, 1_000, "what was left out is answered too");
});

Deno.test("an attempt whose output waits to be written is among a task's attempts, and is told of when it is", () => {
  const { take, pass, book } = newBook();
  let grown = 0;
  const unwatch = book.watch(leaseOf(1).task, () => grown += 1);
  const seen: string[] = [];
  const look = () => {
    book.attempts(leaseOf(1).task, (attempts) => {
      seen.push(attempts.map(({ lease, isComplete }) => `${lease.attempt} ${isComplete}`).join());
    });
    pass(5);
  };
  take("one", 0);
  pass(1_000);
  take("two", 3, { last: true });
  look();
  pass(1_000);
  look();
  assert.deepEqual(seen, ["1 false", "1 true"]);
  assert.ok(grown >= 2);
  unwatch();
  const before = grown;
  take("three", 0, { attempt: 2 });
  pass(1_000);
  assert.equal(grown, before);
});
