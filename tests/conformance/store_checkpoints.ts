/**
 * What stores keep of checkpoints and files, and the curves of attempts that go on from one another.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ATTEMPT_REPORTS_MAX } from "../../master/store/limits.ts";
import { taskId } from "../../shared/model/ids.ts";
import type { Lease } from "../../shared/model/task.ts";
import { type Asked, asked, type Test } from "./store_bench.ts";
import {
  AGAIN,
  attemptEnded,
  cancelled,
  CHECKPOINT,
  checkpointReport,
  completed,
  continued,
  ended,
  fileReport,
  GROUP,
  group,
  opened,
  RECORDED,
  report,
  reports,
  submission,
  UNKNOWN,
} from "./store_samples.ts";

const TASK = taskId(GROUP, 1);
const hash = (digit: string) => ({ sha256: digit.repeat(64), bytes: 7 });

/** Registers the tests. */
export function checkpointTests(test: Test): void {
  test("the highest checkpoints of an open task stay, of equal steps the newest", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: TASK, attempt });
    await store.commit(epoch, [
      group(),
      submission(1, 1),
      checkpointReport(lease(1), 1, 5, 2, hash("a")),
      checkpointReport(lease(1), 2, 9, 2, hash("b")),
      checkpointReport(lease(2), 1, 3, 2, hash("c")),
      checkpointReport(lease(2), 2, 9, 2, hash("d")),
    ]);
    assert.deepEqual(await kept(store), [[2, 9, "d"], [1, 9, "b"]]);
    const { verdicts } = await store.commit(epoch, [
      checkpointReport(lease(2), 2, 9, 2, hash("d")),
      checkpointReport(lease(2), 3, 12, 1, hash("e")),
    ]);
    assert.deepEqual(verdicts, [AGAIN, RECORDED]);
    assert.deepEqual(await kept(store), [[2, 12, "e"]]);
    const { checkpoints } = await store.open();
    assert.deepEqual(checkpoints, [{ task: TASK, epoch, attempt: 2, step: 12, ...hash("e") }]);
  });

  test("a checkpoint of a lease that was given up is none to go on from, and its report stays", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: TASK, attempt: 1 };
    const given = { ...checkpointReport(lease, 2, 10), keep: undefined };
    await store.commit(epoch, [group(), submission(1, 1), reports(lease, 1), given, reports(lease, 3)]);
    assert.deepEqual(await kept(store), []);
    assert.deepEqual(await steps(store), [10, 30]);
  });

  test("what does not follow the reports before it is not kept", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: TASK, attempt: 1 };
    const { verdicts } = await store.commit(epoch, [
      group(),
      submission(1, 1),
      reports(lease, 1),
      checkpointReport(lease, 3, 20),
    ]);
    assert.deepEqual(verdicts[3], { type: "gap", last: 1 });
    assert.deepEqual(await kept(store), []);
  });

  test("at the outcome checkpoints go, but for the highest where that is asked for", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number) => ({ epoch, task: taskId(GROUP, number), attempt: 1 });
    const saved = (number: number) => [1, 2].map((each) => checkpointReport(lease(number), each, each * 10));
    await store.commit(epoch, [group(), submission(1, 3), ...[1, 2, 3].flatMap(saved)]);
    await store.commit(epoch, [
      ended(lease(1).task, completed(1), lease(1)),
      { ...ended(lease(2).task, completed(1), lease(2)), keepCheckpoint: true },
      ended(lease(3).task, cancelled),
      checkpointReport(lease(1), 3, 30),
    ]);
    assert.deepEqual(await kept(store, 1), []);
    assert.deepEqual(await kept(store, 2), [[1, 20, "c"]]);
    assert.deepEqual(await kept(store, 3), []);
    assert.deepEqual((await store.open()).checkpoints, []);
  });

  test("a curve goes over all attempts that went on from one another, each step once", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: TASK, attempt });
    await store.commit(epoch, [
      group(),
      submission(1, 1),
      reports(lease(1), 1, 2),
      checkpointReport(lease(1), 3, 20),
      reports(lease(1), 4, 5),
      continued(lease(2), lease(1), 20),
      measured(lease(2), 1, 20, 30, 40),
      checkpointReport(lease(2), 4, 40),
      measured(lease(2), 5, 50),
      // Both are alive, and the first one saves too.
      checkpointReport(lease(1), 6, 60),
      continued(lease(3), lease(2), 40),
      measured(lease(3), 1, 50, 60),
    ]);
    assert.deepEqual(await steps(store), [10, 20, 30, 40, 50, 60]);
    const whole = await store.query("curve", { task: TASK, after: 0, limit: 99 });
    assert.deepEqual(whole.lease, lease(3));
    assert.deepEqual(whole.parts.map(({ attempt, above }) => [attempt, above]), [[1, null], [2, 20], [
      3,
      40,
    ]]);
    for (let after = 0; after <= 7; after++) {
      const page = await store.query("curve", { task: TASK, after, limit: 2 });
      assert.deepEqual(page.reports, whole.reports.slice(after, after + 2), `after ${after}`);
    }
    await store.commit(epoch, [ended(TASK, completed(1), lease(1))]);
    assert.deepEqual(await steps(store), [10, 20, 40, 50], "of the attempt that the outcome names");
  });

  test("an attempt that goes on and has not reported shows the curve that it goes on with", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: TASK, attempt });
    await store.commit(epoch, [
      group(),
      submission(1, 1),
      reports(lease(1), 1),
      checkpointReport(lease(1), 2, 10),
      reports(lease(1), 3),
      attemptEnded(lease(1), "crash"),
      continued(lease(2), lease(1), 10),
    ]);
    assert.deepEqual(await steps(store), [10]);
    const { attempts, continued: known } = await store.open();
    assert.deepEqual(attempts.map((each) => each.lease), [lease(2)]);
    assert.deepEqual(known, [{ lease: lease(2), step: 10 }]);
  });

  test("an attempt goes on from a checkpoint of another life, also under another id of the store", async (store) => {
    const first = await store.open();
    const before = { epoch: first.epoch, task: TASK, attempt: 1 };
    await store.commit(first.epoch, [
      group(),
      submission(1, 1),
      reports(before, 1),
      checkpointReport(before, 2, 10),
    ]);
    const { epoch, checkpoints } = await store.open({ renew: true });
    assert.deepEqual(checkpoints.map((each) => [each.epoch, each.step]), [[first.epoch, 10]]);
    const lease = { epoch, task: TASK, attempt: 1 };
    const stranger = { ...before, epoch: `${"0".repeat(32)}.1.00000000` as typeof epoch };
    const { verdicts } = await store.commit(epoch, [
      continued({ ...lease, attempt: 2 }, stranger, 10),
      continued(lease, before, 10),
      continued(lease, before, 10),
      measured(lease, 1, 20),
    ]);
    assert.deepEqual(verdicts, [UNKNOWN, RECORDED, AGAIN, RECORDED]);
    assert.deepEqual(await steps(store), [10, 20]);
  });

  test("files are those of an attempt, by name; a later one of the same name replaces it", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: TASK, attempt });
    await store.commit(epoch, [
      group(),
      submission(1, 1),
      fileReport(lease(1), 1, "b.png", "1".repeat(64)),
      fileReport(lease(1), 2, "a/c.txt"),
      fileReport(lease(1), 3, "b.png", "2".repeat(64)),
      fileReport(lease(2), 1, "z"),
    ]);
    const names = async (attempt: number | null, after = "", limit = 9) => {
      const { lease, files } = await store.query("files", { task: TASK, attempt, after, limit });
      return [lease?.attempt ?? null, ...files.map(({ name, sha256 }) => `${name} ${sha256[0]}`)];
    };
    assert.deepEqual(await names(null), [2, "z f"], "the latest that kept one");
    assert.deepEqual(await names(1), [1, "a/c.txt f", "b.png 2"]);
    assert.deepEqual(await names(1, "a/c.txt", 1), [1, "b.png 2"]);
    assert.deepEqual(await names(3), [null]);
    assert.deepEqual(await steps(store), [], "a file is no measurement");
    await store.commit(epoch, [ended(TASK, completed(1), lease(1))]);
    assert.deepEqual(await names(null), [1, "a/c.txt f", "b.png 2"], "of the recorded attempt");
    const stranger = { task: taskId(GROUP, 9), attempt: null, after: "", limit: 9 };
    assert.equal((await store.query("files", stranger)).known, false);
  });

  test("artifacts are needed as checkpoints, as what an open attempt goes on from, as files and as code", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: TASK, attempt });
    await store.commit(epoch, [
      { ...group(), code: "1".repeat(64) },
      submission(1, 1),
      checkpointReport(lease(1), 1, 10, 1),
      fileReport(lease(1), 2, "a", "2".repeat(64)),
      continued(lease(2), lease(1), 10),
      checkpointReport(lease(1), 3, 20, 1, hash("3")),
    ]);
    const digits = ["1", "2", "3", "c", "9"];
    const used = async () => {
      const { used } = await store.query("artifacts_used", { hashes: digits.map((each) => each.repeat(64)) });
      return used.map((each) => each[0]).join("");
    };
    assert.equal(await used(), "123c", "the older checkpoint is being gone on from");
    await store.commit(epoch, [attemptEnded(lease(2), "crash")]);
    assert.equal(await used(), "123");
    await store.commit(epoch, [ended(TASK, completed(1), lease(1))]);
    assert.equal(await used(), "12");
  });

  test(
    "beyond the reports that are kept of an attempt its checkpoints and files still are",
    async (store, bench) => {
      const { epoch } = await store.open();
      const lease = { epoch, task: TASK, attempt: 1 };
      const numbers = Array.from({ length: ATTEMPT_REPORTS_MAX }, (_, index) => index + 1);
      await store.commit(epoch, [group(), submission(1, 1), reports(lease, ...numbers)]);
      const late = ATTEMPT_REPORTS_MAX + 500;
      const { verdicts } = await store.commit(epoch, [
        checkpointReport(lease, late, 1_000_000),
        checkpointReport(lease, late, 1_000_000),
        fileReport(lease, late + 7, "model"),
      ]);
      assert.deepEqual(verdicts, [RECORDED, AGAIN, RECORDED]);
      assert.deepEqual(await kept(store), [[1, 1_000_000, "c"]]);
      await store.close();
      const next = asked(bench.create());
      assert.equal((await next.open()).checkpoints.length, 1, "it outlives the store's object");
      await next.close();
    },
  );

  test("an attempt that is open already is not given another checkpoint to go on from", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: TASK, attempt });
    const { verdicts } = await store.commit(epoch, [
      group(),
      submission(1, 1),
      reports(lease(1), 1),
      checkpointReport(lease(1), 2, 10),
      opened(lease(2)),
      continued(lease(2), lease(1), 10),
      reports(lease(2), 1),
    ]);
    assert.deepEqual(verdicts.slice(4), [RECORDED, AGAIN, RECORDED]);
    assert.deepEqual((await store.open()).continued, []);
    assert.deepEqual((await store.query("curve", { task: TASK, after: 0, limit: 9 })).reports, [report(1)]);
  });
}

/** Attempt, step and the first digit of the hash of each checkpoint, the highest first. */
async function kept(store: Asked, number = 1): Promise<readonly unknown[]> {
  const ask = { task: taskId(GROUP, number), attempt: null, after: "", limit: 9 };
  const { checkpoints } = await store.query("files", ask);
  for (const { bytes } of checkpoints) assert.equal(bytes, CHECKPOINT.bytes);
  return checkpoints.map(({ attempt, step, sha256 }) => [attempt, step, sha256[0]]);
}

async function steps(store: Asked): Promise<readonly number[]> {
  const { reports } = await store.query("curve", { task: TASK, after: 0, limit: 99 });
  return reports.map(({ step }) => step);
}

/** Measurements at steps, numbered from one on. */
function measured(lease: Lease, first: number, ...at: readonly number[]) {
  const all = at.map((step, index) => ({ number: first + index, step, metrics: { loss: step } }));
  return { type: "reports", lease, reports: all } as const;
}
