/**
 * What stores keep of reports: each once, in order, without gap.
 *
 * @module
 */
import assert from "node:assert/strict";
import { QUERY_ROWS_MAX } from "../../master/store/limits.ts";
import { taskId } from "../../shared/model/ids.ts";
import { type Asked, asked, type Test } from "./store_bench.ts";
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
  RECORDED,
  report,
  reports,
  submission,
  trials,
} from "./store_samples.ts";

const TASK = taskId(GROUP, 1);

/** Registers the tests. */
export function curveTests(test: Test): void {
  test("a report is recorded once, and what follows a gap is not recorded", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: TASK, attempt: 1 };
    await store.commit(epoch, [group(), submission(1, 2)]);
    const { verdicts } = await store.commit(epoch, [
      reports(lease, 1, 2),
      reports(lease, 1, 2),
      reports(lease, 2, 3),
      reports(lease, 5),
      reports(lease, 4, 6),
      reports({ ...lease, attempt: 2 }, 2),
      reports(lease),
    ]);
    assert.deepEqual(verdicts, [
      RECORDED,
      AGAIN,
      { type: "recorded", known: 1 },
      { type: "gap", last: 3 },
      { type: "gap", last: 4 },
      { type: "gap", last: 0 },
      AGAIN,
    ]);
    assert.deepEqual(await curve(store), { lease, reports: [1, 2, 3, 4].map(report) });
    assert.deepEqual((await store.query("changes", { after: 1, limit: 10 })).commits, []);
  });

  test("reports stand before their outcome: those that come later change nothing", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: TASK, attempt: 1 };
    await store.commit(epoch, [
      group(),
      submission(1, 1),
      reports(lease, 1),
      ended(TASK, completed(1), lease),
    ]);
    const { verdicts } = await store.commit(epoch, [
      reports(lease, 1),
      reports(lease, 1, 2),
      reports(lease, 2),
    ]);
    const late = { type: "superseded", by: 1, state: "completed" };
    assert.deepEqual(verdicts, [AGAIN, late, late]);
    assert.deepEqual((await curve(store)).reports, [report(1)]);
  });

  test("a curve is that of the attempt that the outcome names, whichever reported more", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: TASK, attempt });
    await store.commit(epoch, [
      group(),
      submission(1, 2),
      reports(lease(1), 1, 2),
      reports(lease(2), 1, 2, 3),
    ]);
    assert.deepEqual((await curve(store)).lease, lease(2), "while it is open: the newest that reported");
    await store.commit(epoch, [ended(TASK, completed(1), lease(1))]);
    assert.deepEqual(await curve(store), { lease: lease(1), reports: [report(1), report(2)] });
  });

  test("the newest attempt is that of the newest epoch", async (store) => {
    const first = await store.open();
    const before = { epoch: first.epoch, task: TASK, attempt: 3 };
    await store.commit(first.epoch, [group(), submission(1, 1), reports(before, 1)]);
    const { epoch } = await store.open();
    await store.commit(epoch, [reports(before, 2), reports({ ...before, epoch, attempt: 1 }, 1)]);
    assert.deepEqual(await curve(store), { lease: { epoch, task: TASK, attempt: 1 }, reports: [report(1)] });
  });

  test("what has no curve has none", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: TASK, attempt: 1 };
    const none = { lease: null, reports: [] };
    await store.commit(epoch, [group(), submission(1, 2)]);
    const unknown = await store.query("curve", { task: taskId(GROUP, 9), after: 0, limit: 1 });
    assert.deepEqual(unknown, { known: false, lease: null, parts: [], reports: [] });
    assert.deepEqual(await curve(store), none);
    await store.commit(epoch, [reports(lease, 1), ended(TASK, cancelled)]);
    assert.deepEqual(await curve(store), none, "no attempt led to the outcome");
    const second = { ...lease, task: taskId(GROUP, 2) };
    await store.commit(epoch, [ended(second.task, completed(1), second)]);
    assert.deepEqual(await curve(store, second.task), { lease: second, reports: [] });
  });

  test("a curve can be read in pages, and a page is bounded", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: TASK, attempt: 1 };
    const numbers = Array.from({ length: QUERY_ROWS_MAX + 2 }, (_, index) => index + 1);
    await store.commit(epoch, [group(), submission(1, 1), reports(lease, ...numbers)]);
    const page = await store.query("curve", { task: TASK, after: 2, limit: 3 });
    assert.deepEqual(page.reports, [3, 4, 5].map(report));
    const all = await store.query("curve", { task: TASK, after: 0, limit: 1_000_000 });
    assert.equal(all.reports.length, QUERY_ROWS_MAX);
    const rest = await store.query("curve", { task: TASK, after: QUERY_ROWS_MAX, limit: 10 });
    assert.deepEqual(rest.reports.map((each) => each.number), [QUERY_ROWS_MAX + 1, QUERY_ROWS_MAX + 2]);
  });
}

/** Registers the tests of loss that is accepted. */
export function lossTests(test: Test): void {
  test("a renewed store has another id, and knows no lease of before", async (store, bench) => {
    const { epoch } = await store.open();
    const lease = (number: number, attempt = 1) => ({ epoch, task: taskId(GROUP, number), attempt });
    await store.commit(epoch, [
      group(),
      submission(1, 4),
      opened(lease(1)),
      attemptEnded(lease(2), "evaluator"),
      reports(lease(3), 1),
      ended(taskId(GROUP, 3), completed(3), lease(3)),
      opened(lease(4)),
      ended(taskId(GROUP, 4), cancelled),
    ]);
    const renewed = await store.open({ renew: true });
    const [before, after] = [epoch, renewed.epoch].map((each) => each.split("."));
    assert.notEqual(after?.[0], before?.[0]);
    assert.ok(Number(after?.[1]) > Number(before?.[1]), "epochs rise over it");
    assert.deepEqual([renewed.earlierEpochs, renewed.attempts, renewed.commit], [[], [], 1]);
    assert.deepEqual(renewed.tasks.map((each) => [each.task, each.attempts, each.failures.evaluator]), [
      ["t7/1", 0, 0],
      ["t7/2", 1, 1],
    ]);
    await assert.rejects(store.commit(epoch, [submission(5, 1)]), /superseded/);
    const { verdicts } = await store.commit(renewed.epoch, [
      ended(taskId(GROUP, 1), completed(1), lease(1)),
      opened(lease(2)),
      attemptEnded(lease(2, 2), "crash"),
      reports(lease(1), 1),
    ]);
    assert.deepEqual(verdicts, new Array(4).fill({ type: "unknown" }));
    const known = await curve(store, taskId(GROUP, 3));
    assert.deepEqual(known, { lease: lease(3), reports: [report(1)] }, "what was finished stays as it was");
    await store.close();
    const next = asked(bench.create());
    const recovered = await next.open();
    assert.deepEqual(recovered.earlierEpochs, [renewed.epoch], "it keeps its new id");
    assert.equal(recovered.epoch.split(".")[0], after?.[0]);
    await next.close();
  });

  test("experiments stay over an accepted loss, with the attempts that are known to have ended", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number) => ({ epoch, task: taskId(EXPERIMENT, number), attempt: 1 });
    await store.commit(epoch, [group(EXPERIMENT), experimentAdded, trials(1, 3)]);
    await store.commit(epoch, [
      ended(taskId(EXPERIMENT, 1), completed(1), lease(1)),
      opened(lease(2)),
      opened(lease(3)),
      attemptEnded(lease(3), "worker_lost"),
      opened(lease(3)),
    ]);
    const renewed = await store.open({ renew: true });
    assert.deepEqual(renewed.experiments.map((each) => each.experiment), [EXPERIMENT]);
    assert.deepEqual(renewed.tasks.map((each) => [each.task, each.attempts]), [["e3/2", 0], ["e3/3", 1]]);
    const answer = await store.query("experiment", { experiment: EXPERIMENT });
    assert.deepEqual([answer?.summary.attempts, answer?.summary.best?.trial], [2, 1]);
    const history = await store.query("history_outcomes", { experiment: EXPERIMENT, after: 0, limit: 9 });
    assert.deepEqual(history.map((each) => each.number), [1]);
  });
}

async function curve(store: Asked, task = TASK) {
  const { lease, reports } = await store.query("curve", { task, after: 0, limit: 100 });
  return { lease, reports };
}
