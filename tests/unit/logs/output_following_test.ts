/**
 * What a reader of output is told, over a real book on virtual time.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  LAST_OUTPUT_WAIT_MS,
  OutputFollowing,
  type Share,
} from "../../../master/gateway/output_following.ts";
import { LogBook } from "../../../master/logs/log_book.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import { type Epoch, epochOf, groupId, taskId, workerId } from "../../../shared/model/ids.ts";
import type { OutcomeState } from "../../../shared/model/outcome.ts";
import type { OutputAsk } from "../../../shared/protocol/client_envelopes.ts";
import { MemoryLogs } from "../../simulation/memory_logs.ts";

const TASK = taskId(groupId("g"), 1);
const epochNumber = (number: number) => epochOf("0123456789abcdef0123456789abcdef", number, "0a0b0c0d");
const FIRST = epochNumber(1);

/** A book, and readers of one task. */
class Desk {
  readonly loop: VirtualLoop = new VirtualLoop(seededRandom("desk"));
  readonly book: LogBook;

  /** @param logs where another master may write as well */
  constructor(logs = new MemoryLogs()) {
    this.book = this.#bookOver(logs);
  }

  #bookOver(logs: MemoryLogs): LogBook {
    return new LogBook({
      files: logs.files((call) => void this.loop.timer(1, call)),
      now: () => this.loop.now(),
      wallClock: () => this.loop.wallClock(),
      after: (delayMs, call) => void this.loop.timer(delayMs, call),
      say: () => {},
    });
  }

  print(text: string, { attempt = 1, epoch = FIRST, offset = 0, stream = "stdout", last = false }: {
    readonly attempt?: number;
    readonly epoch?: Epoch;
    readonly offset?: number;
    readonly stream?: "stdout" | "stderr";
    readonly last?: boolean;
  } = {}): void {
    const data = new TextEncoder().encode(text);
    this.book.take({
      worker: workerId("w1"),
      isGranted: true,
      log: { type: "log", epoch, task: TASK, attempt, stream, offset, data, last },
      answer: () => {},
    });
    this.loop.runFor(500);
  }

  /** @param reads whether it asks for more by itself */
  reader(ask: Partial<OutputAsk> = {}, reads = true) {
    const shares: Share[] = [];
    const following: OutputFollowing = new OutputFollowing(
      { task: TASK, attempt: null, follow: false, from: null, ...ask },
      this.book,
      {
        send: (share) => {
          shares.push(share);
          if (reads && share.end === null) this.loop.soon(() => following.more());
        },
        come: (take) => this.loop.soon(take),
        after: (delayMs) => void this.loop.timer(delayMs, () => following.waited()),
        over: () => following.release(),
      },
    );
    const text = () =>
      shares.flatMap(({ of, pieces }) =>
        pieces.map(({ data }) => `${of?.attempt}:${new TextDecoder().decode(data)}`)
      ).join(" ");
    return {
      shares,
      text,
      more: () => {
        following.more();
        this.loop.runFor(100);
      },
      end: () => shares.at(-1)?.end ?? undefined,
      /** The store says how the task stands. */
      outcome: (state: OutcomeState | null, by: number | null = null, epoch: Epoch | null = FIRST) => {
        following.outcomeIs({ ok: true, value: { known: true, state, by, epoch } });
        this.loop.runFor(100);
      },
      following,
    };
  }
}

Deno.test("who does not follow is told what is there, of the attempt with the outcome", () => {
  const desk = new Desk();
  desk.print("failed", { last: true });
  desk.print("worked", { attempt: 2, last: true });
  desk.print("came too late", { attempt: 3, last: true });
  const reader = desk.reader();
  reader.outcome("completed", 2);
  assert.equal(reader.text(), "2:worked");
  assert.deepEqual(reader.end(), { outcome: "completed", error: null });
  const open = desk.reader();
  open.outcome(null);
  assert.equal(open.text(), "3:came too late");
  assert.deepEqual(open.end(), { outcome: "", error: null });
});

Deno.test("the newest attempt is that of the newest life of the master, whatever its number", () => {
  const desk = new Desk();
  desk.print("before", { attempt: 2, epoch: FIRST, last: true });
  desk.print("after", { attempt: 1, epoch: epochNumber(10), last: true });
  const reader = desk.reader();
  reader.outcome(null);
  assert.equal(reader.text(), "1:after");
  const named = desk.reader({ attempt: 2 });
  named.outcome(null);
  assert.equal(named.text(), "2:before");
});

Deno.test("who follows is told each attempt in its turn, and ends with the task", () => {
  const desk = new Desk();
  const reader = desk.reader({ follow: true });
  reader.outcome(null);
  desk.print("one");
  desk.print("err", { stream: "stderr" });
  desk.print("two", { offset: 3 });
  desk.print("again", { attempt: 2 });
  assert.equal(reader.text(), "1:one 1:err 1:two 2:again");
  assert.equal(reader.end(), undefined);
  reader.outcome("completed", 2);
  assert.equal(reader.end(), undefined, "its last output may come behind the outcome");
  desk.print("end", { attempt: 2, offset: 5, last: true });
  assert.equal(reader.text(), "1:one 1:err 1:two 2:again 2:end");
  assert.deepEqual(reader.end(), { outcome: "completed", error: null });
});

Deno.test("last output that never comes is not waited for long", () => {
  const desk = new Desk();
  const reader = desk.reader({ follow: true });
  reader.outcome(null);
  desk.print("one");
  reader.outcome("failed", 1);
  desk.loop.runFor(LAST_OUTPUT_WAIT_MS + 100);
  assert.deepEqual(reader.end(), { outcome: "failed", error: null });
  const silent = new Desk().reader({ follow: true });
  silent.outcome("cancelled");
  assert.deepEqual(silent.end(), { outcome: "cancelled", error: null }, "nothing can come any more");
});

Deno.test("a slow reader is sent one share until it asks for more, and then what is next", () => {
  const desk = new Desk();
  for (let i = 0; i < 10; i++) desk.print("x".repeat(60_000), { offset: i * 60_000 });
  const reader = desk.reader({}, false);
  reader.outcome(null);
  desk.loop.runFor(10_000);
  assert.equal(reader.shares.length, 1);
  for (let i = 0; i < 20 && reader.end() === undefined; i++) reader.more();
  const bytes = reader.shares.flatMap(({ pieces }) => pieces).reduce(
    (sum, { data }) => sum + data.byteLength,
    0,
  );
  assert.equal(bytes, 600_000);
  assert.ok(reader.shares.length >= 5);
});

Deno.test("who comes back goes on where it was, in the attempt where it was", () => {
  const desk = new Desk();
  desk.print("one two");
  desk.print("error", { stream: "stderr" });
  desk.print("next", { attempt: 2 });
  const from = { epoch: FIRST, attempt: 1, stdout: 4, stderr: 5 };
  const reader = desk.reader({ follow: true, from });
  reader.outcome(null);
  assert.equal(reader.text(), "1:two 2:next");
});

Deno.test("a task and an attempt that are not there are said so", () => {
  const desk = new Desk();
  const nobody = desk.reader();
  nobody.following.outcomeIs({ ok: true, value: { known: false, state: null, by: null, epoch: null } });
  assert.equal(nobody.end()?.error?.code, "unknown_task");
  desk.print("one", { last: true });
  const third = desk.reader({ attempt: 3 });
  third.outcome("completed", 1);
  assert.equal(third.end()?.error?.code, "unknown_attempt");
  assert.match(third.end()?.error?.advice ?? "", /attempts 1$/);
});

Deno.test("what a superseded master wrote beside the one that stands is told once", () => {
  const logs = new MemoryLogs();
  const [old, desk] = [new Desk(logs), new Desk(logs)];
  old.print("first ");
  desk.print("first second ");
  // It was stopped for a while, and knows nothing of the other.
  old.print("second third", { offset: 6, last: true });
  const reader = desk.reader();
  reader.outcome("completed", 1);
  assert.equal(reader.text(), "1:first  1:second  1:third");
});
