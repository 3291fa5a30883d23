import assert from "node:assert/strict";
import { NO_FAULTS } from "../../../master/store/memory_store.ts";
import { WAITING_CHANGES_MAX } from "../../../master/cluster/commit_log.ts";
import {
  LANES_MAX,
  OPEN_TASKS_MAX,
  SHARE_BYTES_MAX,
  SHARE_TASKS_MAX,
} from "../../../master/cluster/submissions.ts";
import { commandId, groupId } from "../../../shared/model/ids.ts";
import { field, Fleet, NOOP } from "./fleet.ts";

Deno.test("a submission is answered only after its commit", () => {
  const fleet = new Fleet();
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 50 };
  const token = fleet.sendSubmit(3);
  fleet.virtual.runFor(40);
  assert.equal(fleet.replies.get(token), undefined);
  fleet.virtual.runFor(20);
  const reply = fleet.replies.get(token);
  assert.ok(reply?.ok);
  assert.equal(reply.commit, fleet.disk.state.commit);
  assert.equal(fleet.disk.state.openTasks.size, 3);
});

Deno.test("a submission that is sent again gets the first reply and makes no further tasks", () => {
  const fleet = new Fleet();
  const first = fleet.sendSubmit(2, {}, "same");
  const second = fleet.sendSubmit(2, {}, "same");
  fleet.settle();
  const third = fleet.sendSubmit(2, {}, "same");
  fleet.settle();
  const values = [first, second, third].map((token) => {
    const reply = fleet.replies.get(token);
    return reply?.ok ? reply.value : undefined;
  });
  assert.notEqual(values[0], undefined);
  assert.deepEqual(values[1], values[0]);
  assert.deepEqual(values[2], values[0]);
  assert.equal(fleet.core.tasks.size, 2);
});

Deno.test("a submission that is sent again after a restart gets the first reply", () => {
  const fleet = new Fleet();
  const first = fleet.sendSubmit(2, {}, "same");
  fleet.settle();
  fleet.restart();
  const again = fleet.sendSubmit(2, {}, "same");
  fleet.settle();
  const [one, other] = [fleet.replies.get(first), fleet.replies.get(again)];
  assert.ok(one?.ok && other?.ok);
  assert.deepEqual(other.value, one.value);
  assert.equal(fleet.core.tasks.size, 2);
});

Deno.test("while the store cannot write, submissions are refused and results wait until it can", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const group = fleet.submit(3);
  let full = true;
  fleet.faults = { ...NO_FAULTS, isFull: () => full };
  worker.completes(worker.leases[0]);
  fleet.pass(1_000);
  const token = fleet.sendSubmit(1);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "queue_full");
  assert.ok((reply.error.retryAfterMs ?? 0) > 0);
  assert.deepEqual(worker.verdicts, []);
  full = false;
  fleet.pass(10_000);
  assert.deepEqual(worker.verdicts, ["recorded"]);
  assert.equal(fleet.outcome(group, 1)?.outcome.state, "completed");
  assert.ok(fleet.submit(1));
});

Deno.test("while too much waits for the store, submissions are refused", () => {
  const fleet = new Fleet();
  fleet.post({ type: "store_state", state: "ready", reason: "", waitingChanges: 300_000, isOverfull: true });
  const token = fleet.sendSubmit(1);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "queue_full");
});

Deno.test("more open tasks than the limit are refused with a time to come back", () => {
  const fleet = new Fleet();
  for (let i = 0; i * SHARE_TASKS_MAX < OPEN_TASKS_MAX; i++) {
    fleet.submit(SHARE_TASKS_MAX - (i === 0 ? 1 : 0), {}, `job${i}`);
    fleet.virtual.runFor(100);
  }
  const error = refused(fleet, 2, "another");
  assert.equal(error.code, "queue_full");
  assert.match(error.message, /199999 tasks are open, and 200000 may be/);
  assert.ok(fleet.submit(1, {}, "another"));
});

Deno.test("one submitter who floods the queue is told to wait, and there is room for others", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w");
  fleet.submit(SHARE_TASKS_MAX - 1, {}, "flood");
  fleet.virtual.runFor(100);
  fleet.submit(1, {}, "flood");
  const error = refused(fleet, 1, "flood");
  assert.equal(error.code, "queue_full");
  assert.match(error.message, /100000 tasks of "flood" are open, and 100000 of one name may be/);
  assert.ok((error.retryAfterMs ?? 0) > 0);
  assert.ok(fleet.submit(1_000, {}, "other"));
  worker.completes();
  assert.ok(fleet.submit(1, {}, "flood"));
});

Deno.test("what one submitter may have open is counted while it is being committed, and after a restart", () => {
  const fleet = new Fleet();
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 50 };
  fleet.sendSubmit(SHARE_TASKS_MAX, {}, "first", "flood");
  assert.match(refused(fleet, 1, "flood").message, /of one name/);
  fleet.virtual.runFor(200);
  fleet.restart();
  fleet.virtual.runFor(200);
  assert.match(refused(fleet, 1, "flood").message, /of one name/);
});

Deno.test("tasks of ever new needs are told to wait, so that no turn grows without bound", () => {
  const fleet = new Fleet();
  for (let priority = 0; priority < LANES_MAX; priority++) fleet.submit(1, { priority }, `n${priority}`);
  assert.ok(fleet.submit(1, { priority: 7 }, "known"));
  const token = fleet.sendSubmit(1, { priority: -1 }, undefined, "new");
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok);
  assert.match(reply.error.message, /tasks of 500 different priorities and resources wait/);
  fleet.join("w", { slots: 1 });
  assert.ok(fleet.submit(1, { priority: -1 }, "new"), "one of them is out, and there is room again");
});

Deno.test("payloads of one submitter are bounded in bytes, too", () => {
  const fleet = new Fleet();
  const payload = new Uint8Array(64 * 1024 * 1024);
  const send = () =>
    fleet.command((asker) => ({
      type: "submit",
      id: commandId(`large${fleet.core.commit}`),
      name: "large",
      template: NOOP,
      payloads: [payload],
      ...asker,
    }));
  for (let bytes = 0; bytes <= SHARE_BYTES_MAX; bytes += payload.byteLength) {
    const token = send();
    fleet.settle();
    assert.ok(fleet.replies.get(token)?.ok);
  }
  const token = send();
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok);
  assert.match(reply.error.message, /payloads of the open tasks of "large"/);
  assert.ok(fleet.submit(1));
});

Deno.test("a store that is slow lets nothing grow: submissions wait for their commits up to the limits", () => {
  const fleet = new Fleet();
  const worker = fleet.join("w", { slots: 2 });
  const group = fleet.submit(3);
  fleet.faults = { ...NO_FAULTS, latencyMs: (operation) => operation === "commit" ? 8_000 : 1 };
  const tokens = Array.from(
    { length: 300 },
    (_, index) => fleet.sendSubmit(1_000, {}, `c${index}`, `n${index}`),
  );
  fleet.virtual.runFor(1_000);
  const refusals = tokens.filter((token) => fleet.replies.get(token)?.ok === false);
  assert.ok(refusals.length >= 99, `${refusals.length} were refused`);
  assert.equal(tokens.filter((token) => fleet.replies.get(token)?.ok === true).length, 0);
  // Questions that need no disk are answered, and nobody is called silent meanwhile.
  assert.match(fleet.explain(group, 3).explanation, /waits for a free slot/);
  fleet.pass(4_200);
  assert.match(
    refused(fleet, 1, "late").message,
    /^the store is slow: a commit has had no answer for over 5 s/,
  );
  assert.equal(fleet.shownStore(), "the store is slow: a commit has had no answer for over 5 s");
  fleet.faults = NO_FAULTS;
  fleet.pass(20_000);
  assert.equal(fleet.shownStore(), "");
  assert.equal(worker.closed, undefined);
  assert.ok(tokens.filter((token) => fleet.replies.get(token)?.ok === true).length > 100);
  assert.equal(worker.leases.length, 2);
});

/** Why a submission is refused. */
function refused(fleet: Fleet, count: number, name: string) {
  const token = fleet.sendSubmit(count, {}, undefined, name);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply !== undefined && !reply.ok, "it was taken");
  return reply.error;
}

Deno.test("a command that comes before the store was read is told to come again", () => {
  const fleet = new Fleet();
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 1_000 };
  fleet.restart();
  const reply = fleet.cancel(groupId("job.1"), null);
  assert.ok(!reply.ok);
  assert.ok((reply.error.retryAfterMs ?? 0) > 0);
});

Deno.test("while too many changes wait for the store, nothing is given out", () => {
  const fleet = new Fleet();
  const group = fleet.submit(1);
  fleet.faults = { ...NO_FAULTS, latencyMs: () => 1_000 };
  for (let i = 0; i <= WAITING_CHANGES_MAX; i++) {
    fleet.core.log.add({ type: "group_added", group, template: new Uint8Array() });
  }
  const worker = fleet.join("w");
  fleet.pass(500);
  assert.equal(worker.leases.length, 0);
  fleet.pass(2_000);
  assert.equal(worker.leases.length, 1);
});

Deno.test("an answer names the group, the first number and the count", () => {
  const fleet = new Fleet();
  const token = fleet.sendSubmit(5);
  fleet.settle();
  const reply = fleet.replies.get(token);
  assert.ok(reply?.ok);
  assert.equal(field(reply.value, "group"), "job.1");
  assert.equal(field(reply.value, "first"), 1);
  assert.equal(field(reply.value, "count"), 5);
});
