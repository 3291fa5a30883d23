import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Database } from "../../../master/store/sqlite/database.ts";
import { unpackRecovered } from "../../../master/store/sqlite/recovery.ts";
import { packChanges, unpackChanges } from "../../../master/store/sqlite/row_change.ts";
import { verifyStore } from "../../../master/verify/verify.ts";
import { groupId, taskId } from "../../../shared/model/ids.ts";
import { CHECKPOINT, checkpointReport, group, reports } from "../../conformance/store_samples.ts";

Deno.test("a store of schema version 2 is opened with all that it holds, and keeps checkpoints from then on", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/old.db`;
  try {
    const db = new DatabaseSync(path);
    db.exec(Deno.readTextFileSync(new URL("../../fixtures/store/schema_2.sql", import.meta.url)));
    db.close();
    let marks = 0;
    const database = new Database({
      path,
      wallClock: () => 1_700_000_000_000,
      randomHex: (digits) => (++marks).toString(16).padStart(digits, "e"),
    });
    const recovered = unpackRecovered(database.open());
    assert.deepEqual([recovered.earlierEpochs.length, recovered.checkpoints, recovered.continued], [
      2,
      [],
      [],
    ]);
    const task = taskId(groupId("t7"), 5);
    assert.deepEqual(recovered.tasks.map((each) => each.task), [task]);
    const trial = taskId(groupId("ended-1"), 1);
    const curve = database.query("curve", { task: trial, after: 0, limit: 9 });
    assert.deepEqual(curve.reports.map(({ number, step }) => [number, step]), [[1, 10], [2, 20], [3, 30]]);
    const lease = { epoch: recovered.epoch, task, attempt: 1 };
    const changes = [
      { ...group(groupId("late")), code: "d".repeat(64) },
      reports(lease, 1),
      checkpointReport(lease, 2, 10),
    ];
    database.commit(recovered.epoch, 1, unpackChanges(packChanges(changes)));
    assert.deepEqual(unpackRecovered(database.open()).checkpoints, [
      { task, epoch: recovered.epoch, attempt: 1, step: 10, ...CHECKPOINT },
    ]);
    const hashes = [CHECKPOINT.sha256, "d".repeat(64), "e".repeat(64)];
    assert.deepEqual(database.query("artifacts_used", { hashes }).used, hashes.slice(0, 2));
    database.close();
    const verified = verifyStore(path);
    assert.equal(verified.ok && verified.report.schemaVersion, 3);
    assert.deepEqual(verified.ok ? verified.report.violations : verified.message, 0);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
