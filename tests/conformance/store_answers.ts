/**
 * What stores answer to queries.
 *
 * @module
 */
import assert from "node:assert/strict";
import { changesOf } from "../../master/store/changes_of.ts";
import { QUERY_ROWS_MAX } from "../../master/store/limits.ts";
import type { StoreChange } from "../../master/store/store.ts";
import { commandId, groupId, taskId } from "../../shared/model/ids.ts";
import { type Test } from "./store_bench.ts";
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
  opened,
  SPEC,
  state,
  submission,
  trials,
  UNKNOWN,
  WORKER,
} from "./store_samples.ts";

/** Registers the tests. */
export function queryTests(test: Test): void {
  test("the feed tells each commit's changes in order, as they were told live", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: taskId(EXPERIMENT, 2), attempt: 1 };
    const batches: StoreChange[][] = [
      [
        group(EXPERIMENT),
        {
          type: "command",
          id: commandId("c"),
          reply: new Uint8Array(),
          changes: [experimentAdded, trials(1, 3)],
        },
        group(),
      ],
      [opened(lease)],
      [
        ended(taskId(EXPERIMENT, 1), completed(2), { ...lease, task: taskId(EXPERIMENT, 1) }),
        submission(1, 1),
        attemptEnded(lease, "deadline", "late"),
        ended(taskId(EXPERIMENT, 3), {
          state: "failed",
          cause: "evaluator",
          message: "broken",
          stack: "at 1",
        }),
        state("paused", "to think"),
        ended(taskId(EXPERIMENT, 1), cancelled),
      ],
    ];
    const told = [];
    for (const batch of batches) {
      const { commit, verdicts } = await store.commit(epoch, batch);
      const changes = batch.flatMap((change, index) => changesOf(change, verdicts[index] ?? UNKNOWN));
      if (changes.length > 0) told.push({ commit, changes });
    }
    assert.deepEqual(await store.query("changes", { after: 0, limit: 100 }), { commits: told, upTo: 3 });
    assert.deepEqual(told[1]?.changes.map((each) => each.kind), [
      "ended",
      "submitted",
      "attempt_ended",
      "ended",
      "experiment",
    ]);
    assert.deepEqual(
      await store.query("changes", { after: 0, limit: 1 }),
      { commits: told.slice(0, 1), upTo: 1 },
    );
    assert.deepEqual(await store.query("changes", { after: 3, limit: 10 }), { commits: [], upTo: 3 });
  });

  test("a history can be read in pages, outcomes in the order of their commits", async (store) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(EXPERIMENT), experimentAdded, trials(1, 2), trials(3, 3, 1)]);
    const outcomes = [3, 1, 5, 2].map((number) => {
      const task = taskId(EXPERIMENT, number);
      return ended(task, completed(number), { epoch, task, attempt: 1 });
    });
    for (const outcome of outcomes) await store.commit(epoch, [outcome]);
    const pages = [];
    for (const after of [0, 2, 4]) {
      pages.push(await store.query("history_outcomes", { experiment: EXPERIMENT, after, limit: 2 }));
    }
    assert.deepEqual(pages.map((page) => page.map((each) => each.number)), [[3, 1], [5, 2], []]);
    assert.deepEqual(pages[0]?.[0], {
      number: 3,
      state: "completed",
      metrics: { loss: 3 },
      cause: null,
      message: null,
      attempts: 1,
      atMs: AT_MS + 1,
    });
    const history = await store.query("history_trials", { experiment: EXPERIMENT, after: 1, limit: 3 });
    assert.deepEqual(history.map((each) => [each.number, each.toldBefore, each.hash]), [
      [2, 0, "hash-2"],
      [3, 1, "hash-3"],
      [4, 1, "hash-4"],
    ]);
    assert.deepEqual(history[0], {
      number: 2,
      candidate: '{"lr":2}',
      hash: "hash-2",
      parents: [1],
      toldBefore: 0,
    });
  });

  test("a summary counts trials and attempts and names the first of the best", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number, attempt = 1) => ({ epoch, task: taskId(EXPERIMENT, number), attempt });
    await store.commit(epoch, [group(EXPERIMENT), experimentAdded, trials(1, 6)]);
    await store.commit(epoch, [
      ended(taskId(EXPERIMENT, 1), completed(0.5), lease(1)),
      ended(taskId(EXPERIMENT, 2), completed(0.25), lease(2, 3)),
      ended(taskId(EXPERIMENT, 3), completed(0.25), lease(3)),
      ended(taskId(EXPERIMENT, 4), { state: "pruned", metrics: { loss: 0.1 } }, lease(4)),
      ended(taskId(EXPERIMENT, 5), { state: "failed", cause: "crash", message: "gone" }, lease(5)),
      attemptEnded(lease(6), "evaluator"),
      opened(lease(6, 2)),
      { ...state("cancelled", "enough"), atMs: AT_MS + 3_500 },
    ]);
    const answer = await store.query("experiment", { experiment: "last" });
    assert.deepEqual(answer, {
      spec: SPEC,
      summary: {
        experiment: EXPERIMENT,
        name: "quick",
        state: "cancelled",
        reason: "enough",
        trials: { completed: 3, failed: 1, cancelled: 0, pruned: 1 },
        open: 1,
        attempts: 9,
        budgetTrials: 20,
        objectives: [{ metric: "loss", direction: "minimize" }],
        best: { trial: 2, metrics: { loss: 0.25 }, candidate: { lr: 2 } },
        seconds: 3.5,
        createdAtMs: AT_MS,
      },
    });
    assert.deepEqual(await store.query("experiments", { offset: 0, limit: 5 }), [answer?.summary]);
    assert.deepEqual(await store.query("experiments", { offset: 1, limit: 5 }), []);
    assert.deepEqual(await store.query("counts", { group: EXPERIMENT }), {
      submitted: 6,
      completed: 3,
      failed: 1,
      cancelled: 0,
      pruned: 1,
    });
    assert.equal(await store.query("experiment", { experiment: groupId("e9") }), null);
  });

  test("trials are shown by number with what became of them", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number) => ({ epoch, task: taskId(EXPERIMENT, number), attempt: 1 });
    await store.commit(epoch, [group(EXPERIMENT), experimentAdded, trials(1, 4)]);
    await store.commit(epoch, [
      ended(taskId(EXPERIMENT, 3), { state: "failed", cause: "evaluator", message: "NaN" }, lease(3)),
      ended(taskId(EXPERIMENT, 2), completed(0.5), lease(2)),
      opened(lease(4)),
    ]);
    const shown = await store.query("trials", { experiment: EXPERIMENT, after: 1, limit: 10 });
    const common = { elapsedMs: 12.5, endedAtMs: AT_MS + 1, worker: WORKER };
    assert.deepEqual(shown, [
      {
        trial: 2,
        state: "completed",
        attempts: 1,
        metrics: { loss: 0.5 },
        candidate: { lr: 2 },
        cause: null,
        message: null,
        parents: [1],
        ...common,
      },
      {
        trial: 3,
        state: "failed",
        attempts: 1,
        metrics: null,
        candidate: { lr: 3 },
        cause: "evaluator",
        message: "NaN",
        parents: [2],
        ...common,
      },
      {
        trial: 4,
        state: "pending",
        attempts: 1,
        metrics: null,
        candidate: { lr: 4 },
        cause: null,
        message: null,
        parents: [3],
        elapsedMs: null,
        endedAtMs: null,
        worker: null,
      },
    ]);
  });

  test("an answer is bounded, whatever limit was named", async (store) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, QUERY_ROWS_MAX + 1)]);
    const shown = await store.query("trials", { experiment: GROUP, after: 0, limit: 1_000_000 });
    assert.equal(shown.length, QUERY_ROWS_MAX);
  });
}
