/**
 * Curves of attempts that ran on while their master was killed and started again.
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import { SqliteStore } from "../../master/store/sqlite/sqlite_store.ts";
import { groupId, taskId } from "../../shared/model/ids.ts";
import { asked } from "../conformance/store_bench.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { fixture, slowSearch } from "./fleet/specs.ts";

const TRIALS = 4;

withFleet(
  "a killed master costs no report: each curve is whole, and nothing in it is double",
  async (fleet) => {
    let master = await fleet.master();
    const client = await fleet.client();
    const workers = [fleet.worker("w1", { slots: 2 }), fleet.worker("w2", { slots: 2 })];
    const evaluator = { kind: "module", path: fixture("reporting") } as const;
    const search = await client.run(slowSearch("curves", TRIALS, 3_000, { evaluator }));
    await Promise.all(workers.map((worker) => worker.until(({ started }) => started !== undefined)));
    for (let round = 0; round < 2; round++) {
      await master.kill();
      master = await fleet.master();
    }
    await search.wait();
    await master.kill();
    assertAllCompleted(fleet.data, TRIALS);
    for (const { numbers, steps, measured } of await curves(fleet, search.id)) {
      ok(measured > 1);
      const expected = Array.from({ length: measured }, (_, index) => index + 1);
      deepEqual([numbers, steps], [expected, expected]);
    }
  },
);

/** What the store has of each trial. */
async function curves(fleet: Fleet, experiment: string) {
  const store = asked(new SqliteStore({ folder: fleet.data }));
  await store.open();
  const all = [];
  for (let number = 1; number <= TRIALS; number++) {
    const task = taskId(groupId(experiment), number);
    const { reports } = await store.query("curve", { task, after: 0, limit: 1_000 });
    const [trial] = await store.query("trials", {
      experiment: groupId(experiment),
      after: number - 1,
      limit: 1,
    });
    all.push({
      numbers: reports.map((each) => each.number),
      steps: reports.map((each) => each.step),
      measured: trial?.metrics?.["value"] ?? 0,
    });
  }
  await store.close();
  return all;
}
