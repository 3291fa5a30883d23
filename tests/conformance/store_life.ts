/**
 * What stores keep over closes, starts, epochs and backups.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Epoch, EPOCH_PATTERN, epochOf, storeOf, taskId } from "../../shared/model/ids.ts";
import { asked, isFailure, type Test } from "./store_bench.ts";
import {
  AT_MS,
  attemptEnded,
  cancelled,
  completed,
  ended,
  EXPERIMENT,
  experimentAdded,
  GROUP,
  group,
  LIFE,
  opened,
  plain,
  SPEC,
  state,
  submission,
  WORKER,
} from "./store_samples.ts";

/** Registers the tests. */
export function lifeTests(test: Test): void {
  test("a new store is empty and has its first epoch", async (store) => {
    const recovered = await store.open();
    assert.match(recovered.epoch, EPOCH_PATTERN);
    assert.deepEqual({ ...recovered, epoch: "" }, {
      epoch: "",
      earlierEpochs: [],
      epochEnds: [],
      lastFailures: [],
      checkpoints: [],
      continued: [],
      commit: 0,
      groups: [],
      tasks: [],
      attempts: [],
      experiments: [],
      nextGroup: 1,
    });
  });

  test(
    "what was committed is there after a close and a new start, under a new epoch of the same store",
    async (store, bench) => {
      const { epoch } = await store.open();
      const lease = (number: number, attempt = 1) => ({ epoch, task: taskId(GROUP, number), attempt });
      await store.commit(epoch, [group(), submission(1, 4)]);
      await store.commit(epoch, [
        opened(lease(2)),
        attemptEnded(lease(3), "evaluator", "no"),
        attemptEnded(lease(3, 2), "returned"),
        ended(taskId(GROUP, 1), completed(1), lease(1)),
      ]);
      await store.close();
      const next = asked(bench.create());
      const recovered = await next.open();
      const failures = { evaluator: 0, deadline: 0, worker_lost: 0, crash: 0 };
      assert.deepEqual(recovered.earlierEpochs, [epoch]);
      assert.equal(storeOf(recovered.epoch), storeOf(epoch));
      assert.notEqual(recovered.epoch, epoch);
      assert.equal(recovered.commit, 2);
      assert.deepEqual(recovered.groups, [{
        group: GROUP,
        template: new Uint8Array([1, 2, 3]),
        lastNumber: 4,
      }]);
      assert.deepEqual(plain(recovered.tasks), [
        { task: "t7/2", payload: [2], failures, attempts: 1, isFinal: false },
        { task: "t7/3", payload: [3], failures: { ...failures, evaluator: 1 }, attempts: 2, isFinal: false },
        { task: "t7/4", payload: [4], failures, attempts: 0, isFinal: false },
      ]);
      assert.deepEqual(recovered.attempts, [
        { lease: lease(2), worker: WORKER, incarnation: LIFE, openedAtMs: AT_MS },
      ]);
      assert.equal(recovered.nextGroup, 8);
      await next.close();
    },
  );

  test("each epoch is remembered with the commit that it ended with", async (store, bench) => {
    const first = await store.open();
    await store.commit(first.epoch, [group()]);
    await store.commit(first.epoch, [submission(1, 1)]);
    const second = await store.open();
    const third = await store.open();
    await store.commit(third.epoch, [submission(2, 1)]);
    const end = (epoch: Epoch) => store.query("epoch_end", { epoch });
    assert.deepEqual(await Promise.all([first.epoch, second.epoch, third.epoch].map(end)), [2, 2, 3]);
    assert.equal(await end(epochOf("f".repeat(32), 1, "0".repeat(8))), null);
    await store.close();
    const next = asked(bench.create());
    const recovered = await next.open();
    assert.deepEqual(recovered.epochEnds, [2, 2, 3]);
    assert.deepEqual(await next.query("epoch_end", { epoch: recovered.epoch }), 3);
    await next.close();
  });

  test("opening an open store takes a new epoch, and the one before can commit no more", async (store) => {
    const first = await store.open();
    await store.commit(first.epoch, [group()]);
    const second = await store.open();
    await assert.rejects(store.commit(first.epoch, [submission(1, 1)]), isFailure("superseded"));
    assert.deepEqual((await store.query("counts", { group: GROUP })).submitted, 0);
    await store.commit(second.epoch, [submission(1, 1)]);
  });

  test("groups are recovered while they have open tasks or an experiment that is not over", async (store) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, 1), group(EXPERIMENT), experimentAdded]);
    await store.commit(epoch, [ended(taskId(GROUP, 1), cancelled)]);
    const running = await store.open();
    assert.deepEqual(running.groups.map((each) => each.group), [EXPERIMENT]);
    assert.deepEqual(running.experiments, [{
      experiment: EXPERIMENT,
      name: "quick",
      spec: SPEC,
      state: "running",
      reason: "",
      createdAtMs: AT_MS,
    }]);
    await store.commit(running.epoch, [state("completed")]);
    const over = await store.open();
    assert.deepEqual([over.groups, over.experiments], [[], []]);
  });

  test("a backup is a whole store, and never overwrites a file", async (store, bench) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, 3)]);
    const { bytes } = await store.backup(bench.backupPath);
    assert.ok(bytes > 0);
    await store.commit(epoch, [submission(4, 1)]);
    await assert.rejects(store.backup(bench.backupPath), isFailure("fault"));
    const copy = asked(bench.createFromBackup());
    const recovered = await copy.open();
    assert.equal(recovered.tasks.length, 3);
    assert.equal(storeOf(recovered.epoch), storeOf(epoch));
    await copy.close();
  });

  test("a closed store answers with a fault, and can be opened again", async (store) => {
    const { epoch } = await store.open();
    await store.close();
    await assert.rejects(store.commit(epoch, [group()]), isFailure("fault"));
    const again = await store.open();
    await store.commit(again.epoch, [group()]);
  });
}
