/**
 * What stores answer to changes: new ones, refused ones, repeated ones.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { StoreChange } from "../../master/store/store.ts";
import { commandId, type Epoch, groupId, taskId } from "../../shared/model/ids.ts";
import { type Test } from "./store_bench.ts";
import {
  AGAIN,
  attemptEnded,
  cancelled,
  completed,
  ended,
  EXPERIMENT,
  experimentAdded,
  GROUP,
  group,
  opened,
  plain,
  RECORDED,
  reports,
  state,
  submission,
  trials,
  UNKNOWN,
  WORKER,
} from "./store_samples.ts";

/** Registers the tests of verdicts. */
export function verdictTests(test: Test): void {
  test("the first outcome of a task wins, and the others learn which it was", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number, attempt = 1) => ({ epoch, task: taskId(GROUP, number), attempt });
    await store.commit(epoch, [group(), submission(1, 2)]);
    const { verdicts } = await store.commit(epoch, [
      ended(taskId(GROUP, 1), completed(1), lease(1, 2)),
      ended(taskId(GROUP, 1), completed(2), lease(1, 1)),
      ended(taskId(GROUP, 2), cancelled),
      ended(taskId(GROUP, 2), completed(3), lease(2)),
      ended(taskId(GROUP, 1), cancelled),
    ]);
    assert.deepEqual(verdicts, [
      RECORDED,
      { type: "superseded", by: 2, state: "completed" },
      RECORDED,
      { type: "superseded", by: null, state: "cancelled" },
      { type: "superseded", by: 2, state: "completed" },
    ]);
    assert.deepEqual(await store.query("outcome", { task: taskId(GROUP, 1) }), {
      known: true,
      state: "completed",
      by: 2,
      epoch,
    });
  });

  test("what the store does not know is answered by unknown and changes nothing", async (store) => {
    const { epoch } = await store.open();
    const stranger = { epoch: anotherStore(epoch), task: taskId(GROUP, 1), attempt: 1 };
    await store.commit(epoch, [group(), submission(1, 2)]);
    const lease = { epoch, task: taskId(GROUP, 9), attempt: 1 };
    const { verdicts } = await store.commit(epoch, [
      submission(1, 1, groupId("none")),
      ended(taskId(GROUP, 9), completed(1), lease),
      ended(taskId(GROUP, 1), completed(1), stranger),
      opened(lease),
      attemptEnded(lease, "crash"),
      reports(stranger, 1),
      state("paused"),
      submission(2, 5),
    ]);
    assert.deepEqual(verdicts, new Array(8).fill(UNKNOWN));
    assert.deepEqual((await store.query("changes", { after: 1, limit: 10 })).commits, []);
    assert.deepEqual(await store.query("outcome", { task: taskId(GROUP, 9) }), {
      known: false,
      state: null,
      by: null,
      epoch: null,
    });
  });

  test("an outcome closes what is open of its task, and nothing opens after it", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: taskId(GROUP, 1), attempt });
    await store.commit(epoch, [group(), submission(1, 2), opened(lease(1)), opened(lease(2))]);
    await store.commit(epoch, [ended(taskId(GROUP, 1), completed(1), lease(2))]);
    const { verdicts } = await store.commit(epoch, [opened(lease(3))]);
    assert.deepEqual(verdicts, [{ type: "superseded", by: 2, state: "completed" }]);
    assert.deepEqual((await store.open()).attempts, []);
  });

  test("an outcome tells the epoch of its attempt: numbers begin anew with each", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: taskId(GROUP, 1), attempt: 1 };
    await store.commit(epoch, [group(), submission(1, 2), ended(lease.task, completed(1), lease)]);
    const later = await store.open();
    await store.commit(later.epoch, [ended(taskId(GROUP, 2), cancelled)]);
    assert.equal((await store.query("outcome", { task: lease.task })).epoch, epoch);
    assert.equal((await store.query("outcome", { task: taskId(GROUP, 2) })).epoch, null);
  });

  test("a lost attempt whose worker came back is open again, and is one attempt and one failure", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: taskId(GROUP, 1), attempt: 1 };
    await store.commit(epoch, [group(), submission(1, 1), opened(lease), attemptEnded(lease, "worker_lost")]);
    const back = await store.commit(epoch, [opened(lease), opened(lease)]);
    assert.deepEqual(back.verdicts, [RECORDED, AGAIN]);
    const recovered = await store.open();
    assert.deepEqual(recovered.attempts.map((each) => each.lease), [lease]);
    assert.deepEqual(recovered.tasks.map(({ attempts, failures }) => [attempts, failures.worker_lost]), [[
      1,
      1,
    ]]);
    const { verdicts } = await store.commit(recovered.epoch, [attemptEnded(lease, "evaluator")]);
    assert.deepEqual(verdicts, [AGAIN]);
    assert.deepEqual((await store.open()).attempts, []);
  });

  test("a failure for good is remembered as such", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number) => ({ epoch, task: taskId(GROUP, number), attempt: 1 });
    const last = { ...attemptEnded(lease(1), "evaluator"), final: true };
    await store.commit(epoch, [group(), submission(1, 2), last, attemptEnded(lease(2), "evaluator")]);
    const { tasks, lastFailures } = await store.open();
    assert.deepEqual(tasks.map((each) => each.isFinal), [true, false]);
    const failure = { worker: WORKER, cause: "evaluator", message: "" };
    assert.deepEqual(lastFailures, [
      { ...failure, lease: lease(1), isFinal: true },
      { ...failure, lease: lease(2), isFinal: false },
    ]);
  });

  test("an attempt that ended by any other cause is never open again", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: taskId(GROUP, 1), attempt: 1 };
    await store.commit(epoch, [group(), submission(1, 1), attemptEnded(lease, "duplicate")]);
    const { verdicts } = await store.commit(epoch, [opened(lease)]);
    assert.deepEqual(verdicts, [AGAIN]);
    assert.deepEqual((await store.open()).attempts, []);
  });

  test("an attempt that ended late stays on record beside the outcome of another", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: taskId(GROUP, 1), attempt });
    await store.commit(epoch, [group(), submission(1, 1)]);
    const { verdicts } = await store.commit(epoch, [
      ended(taskId(GROUP, 1), completed(1), lease(2)),
      attemptEnded(lease(1), "duplicate"),
      attemptEnded(lease(2), "duplicate"),
    ]);
    assert.deepEqual(verdicts, [RECORDED, RECORDED, { type: "superseded", by: 2, state: "completed" }]);
  });
}

/** Registers the tests of what is applied twice. */
export function repetitionTests(test: Test): void {
  test("a command is applied once: a repeat gets the first reply and its changes are left out", async (store) => {
    const { epoch } = await store.open();
    const command = (reply: number, changes: readonly StoreChange[]): StoreChange => (
      { type: "command", id: commandId("c1"), reply: new Uint8Array([reply]), changes }
    );
    const first = await store.commit(epoch, [command(1, [group(), submission(1, 2), state("paused")])]);
    assert.deepEqual(first.verdicts, [{ type: "recorded", nested: [RECORDED, RECORDED, UNKNOWN] }]);
    const second = await store.commit(epoch, [command(2, [submission(3, 2)])]);
    assert.deepEqual(plain(second.verdicts), [{ type: "repeated", reply: [1] }]);
    assert.equal((await store.query("counts", { group: GROUP })).submitted, 2);
  });

  test("a batch that is applied twice is recorded once", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number) => ({ epoch, task: taskId(EXPERIMENT, number), attempt: 1 });
    const batch = (): StoreChange[] => [
      group(EXPERIMENT),
      experimentAdded,
      trials(1, 3),
      opened(lease(1)),
      attemptEnded(lease(1), "crash"),
      ended(taskId(EXPERIMENT, 2), completed(1), lease(2)),
      ended(taskId(EXPERIMENT, 3), cancelled),
      state("paused"),
    ];
    await store.commit(epoch, batch());
    const before = await store.query("changes", { after: 0, limit: 100 });
    const { verdicts, commit } = await store.commit(epoch, batch());
    assert.deepEqual(verdicts, new Array(8).fill(AGAIN));
    assert.equal(commit, 2);
    assert.deepEqual(await store.query("changes", { after: 0, limit: 100 }), { ...before, upTo: 2 });
    const recovered = await store.open();
    assert.deepEqual(recovered.tasks.map((each) => each.attempts), [1]);
    assert.deepEqual(recovered.attempts, []);
  });

  test("numbers of a group may have gaps, and each task keeps its own", async (store) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, 2), submission(11, 2)]);
    assert.deepEqual(await store.query("outcome", { task: taskId(GROUP, 5) }), {
      known: false,
      state: null,
      by: null,
      epoch: null,
    });
    const { verdicts } = await store.commit(epoch, [
      ended(taskId(GROUP, 5), cancelled),
      ended(taskId(GROUP, 12), cancelled),
    ]);
    assert.deepEqual(verdicts, [UNKNOWN, RECORDED]);
    assert.deepEqual((await store.open()).tasks.map((each) => each.task), ["t7/1", "t7/2", "t7/11"]);
  });
}

function anotherStore(epoch: Epoch): Epoch {
  const [digit] = epoch;
  return `${digit === "0" ? "1" : "0"}${epoch.slice(1)}` as Epoch;
}
