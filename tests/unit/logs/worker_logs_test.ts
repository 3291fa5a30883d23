/**
 * What a worker says of its evaluators' output, on virtual time with a master that answers as it is told.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  FORGET_AFTER_MS,
  KEPT_BYTES_MAX,
  SAY_BYTES_PER_SECOND_MAX,
  SAY_EVERY_MS,
  WINDOW_BYTES_MAX,
} from "../../../worker/logs.ts";
import { UNSAID_BYTES_MAX } from "../../../worker/logs_kept.ts";
import { LOG_BYTES_MAX } from "../../../shared/protocol/limits.ts";
import type { Log } from "../../../shared/protocol/worker_envelopes.ts";
import type { FakeSession } from "../worker/fake_master.ts";
import { assignOf, leaseOf, Rig } from "../worker/rig.ts";

/** A worker whose tasks 1 to `tasks` run. */
function running(tasks = 1): Rig {
  const rig = new Rig({ slots: tasks }).connected();
  for (let number = 1; number <= tasks; number++) rig.master.session.say(assignOf(number));
  return rig.pass(10);
}

function print(rig: Rig, number: number, data: Uint8Array | string, stream: Log["stream"] = "stdout"): void {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  rig.evaluators.work(number).events({ type: "output", stream, data: bytes });
}

function logsOf(session: FakeSession, number = 1, stream?: Log["stream"]): readonly Log[] {
  return session.heard.filter((each) => each.type === "log").filter((log) =>
    log.task === leaseOf(number).task && (stream === undefined || log.stream === stream)
  );
}

function textOf(logs: readonly Log[]): string {
  return logs.map(({ data }) => new TextDecoder().decode(data)).join("");
}

/** Answers all that was said so far on the newest session. */
function answer(rig: Rig): void {
  const { session } = rig.master;
  for (const log of session.heard) {
    if (log.type !== "log") continue;
    const { epoch, task, attempt, stream, offset, data } = log;
    session.say({ type: "logged", epoch, task, attempt, stream, offset: offset + data.byteLength });
  }
}

const bytesOf = (logs: readonly Log[]) => logs.reduce((sum, { data }) => sum + data.byteLength, 0);

Deno.test("what is printed is said at once, and then gathered", () => {
  using rig = running();
  print(rig, 1, "one\n");
  rig.pass(5);
  assert.equal(textOf(logsOf(rig.master.session)), "one\n");
  for (let i = 0; i < 100; i++) {
    print(rig, 1, "x");
    print(rig, 1, "e", "stderr");
    rig.pass(1);
  }
  rig.pass(SAY_EVERY_MS + 10);
  const logs = logsOf(rig.master.session);
  assert.equal(textOf(logsOf(rig.master.session, 1, "stdout")), `one\n${"x".repeat(100)}`);
  assert.equal(textOf(logsOf(rig.master.session, 1, "stderr")), "e".repeat(100));
  assert.ok(logs.length <= 6, `${logs.length} pieces`);
});

Deno.test("an attempt that prints nothing says nothing, and one that ends says so before its result", () => {
  using rig = running(2);
  rig.evaluators.complete(1);
  print(rig, 2, "last words");
  rig.evaluators.complete(2);
  rig.pass(20);
  assert.deepEqual(logsOf(rig.master.session, 1), []);
  const types = rig.master.session.heard.filter((each) =>
    each.type === "log" || (each.type === "result" && each.task === leaseOf(2).task)
  ).map(({ type }) => type);
  assert.deepEqual([...new Set(types)], ["log", "result"]);
  const last = logsOf(rig.master.session, 2).at(-1);
  assert.deepEqual([last?.last, textOf(logsOf(rig.master.session, 2))], [true, "last words"]);
});

Deno.test("no more is said than the window holds until it is answered, and results pass by", () => {
  using rig = running(2);
  const { session } = rig.master;
  for (let i = 0; i < 64; i++) {
    print(rig, 1, new Uint8Array(64 * 1024).fill(i));
    rig.pass(50);
  }
  assert.ok(bytesOf(logsOf(session)) <= WINDOW_BYTES_MAX);
  assert.ok(bytesOf(logsOf(session)) > WINDOW_BYTES_MAX - LOG_BYTES_MAX);
  rig.evaluators.complete(2);
  rig.pass(5);
  assert.equal(rig.result(2).end.state, "completed");
  const before = bytesOf(logsOf(session));
  answer(rig);
  rig.pass(500);
  const after = logsOf(session).slice();
  assert.ok(bytesOf(after) >= before + UNSAID_BYTES_MAX, "what waited is said once there is room");
  const at = 64 * 64 * 1024 - UNSAID_BYTES_MAX;
  const next = after.find(({ offset }) => offset >= before);
  assert.equal(next?.offset, at, "the newest was kept, and the offset says how much was not");
});

Deno.test("a flood is said at a bounded rate, its end among it", () => {
  using rig = running();
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 100; i++) {
      print(rig, 1, new Uint8Array(256 * 1024));
      rig.pass(10);
      if (i % 10 === 0) answer(rig);
    }
  }
  print(rig, 1, "the end");
  rig.evaluators.complete(1);
  rig.pass(2_000);
  answer(rig);
  rig.pass(2_000);
  const logs = logsOf(rig.master.session);
  assert.ok(bytesOf(logs) <= 12 * SAY_BYTES_PER_SECOND_MAX + WINDOW_BYTES_MAX, `${bytesOf(logs)} bytes`);
  assert.match(textOf(logs.slice(-1)), /the end$/);
  assert.equal(logs.at(-1)?.last, true);
});

Deno.test("what was not answered is said again after a break, once, and what came meanwhile after it", () => {
  using rig = running();
  print(rig, 1, "one ");
  rig.pass(300);
  answer(rig);
  rig.pass(10);
  print(rig, 1, "two ");
  rig.pass(300);
  rig.reattach();
  print(rig, 1, "three");
  rig.evaluators.complete(1);
  rig.pass(300);
  const { session } = rig.master;
  assert.equal(textOf(logsOf(session)), "two three");
  assert.equal(logsOf(session).at(-1)?.last, true);
  answer(rig);
  rig.pass(10);
  rig.reattach();
  assert.deepEqual(logsOf(rig.master.session), [], "all was answered");
});

Deno.test("while no master is there, memory is bounded, and what ended long ago is forgotten", () => {
  using rig = running(200);
  rig.master.manners.accepts = false;
  rig.master.session.close(1006, "");
  rig.pass(10);
  for (let round = 0; round < 3; round++) {
    for (let number = 1; number <= 200; number++) print(rig, number, new Uint8Array(64 * 1024));
  }
  rig.pass(100);
  const notes = () => notesOf(rig);
  assert.ok(notes().keptBytes <= KEPT_BYTES_MAX, JSON.stringify(notes()));
  for (let number = 1; number <= 200; number++) rig.evaluators.complete(number);
  rig.pass(FORGET_AFTER_MS + 1_000);
  assert.deepEqual(notes(), { attempts: 0, keptBytes: 0 });
});

/** What the logs' actor says about itself. */
function notesOf(rig: Rig): { attempts: number; keptBytes: number } {
  const view = rig.system.inspect()?.children.find(({ name }) => name === "logs");
  return { attempts: Number(view?.notes["attempts"]), keptBytes: Number(view?.notes["keptBytes"]) };
}
