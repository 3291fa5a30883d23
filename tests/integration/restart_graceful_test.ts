/**
 * Workers and masters that are asked to stop.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { startsByTask } from "./fleet/executions.ts";
import { withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted, endsByCause } from "./fleet/ledger.ts";
import { slowSearch } from "./fleet/specs.ts";

withFleet("a worker that is asked to stop finishes what it can and hands back the rest", async (fleet) => {
  const master = await fleet.master();
  const client = await fleet.client();
  const leaving = fleet.worker("w1", { slots: 2, graceMs: 1_200 });
  const tasks = await client.submit({
    name: "nap",
    evaluator: { kind: "builtin", name: "sleep" },
    inputs: [{ ms: 600 }, { ms: 2_500 }],
  });
  const [group = ""] = tasks.groups;
  await leaving.until(({ started }) => started === `${group}/2`);
  leaving.signal("SIGTERM");
  equal(await leaving.ended(), 0);
  const ends = leaving.words.flatMap(({ ended, state }) => ended === undefined ? [] : [`${ended} ${state}`]);
  deepEqual(ends, [`${group}/1 completed`, `${group}/2 stopped`]);
  const next = fleet.worker("w2");
  equal((await tasks.wait()).completed, 2);
  deepEqual(startsByTask([next]), new Map([[`${group}/2`, 1]]));
  await master.kill();
  const ledger = assertAllCompleted(fleet.data, 2);
  deepEqual(endsByCause(ledger), { returned: 1 });
});

withFleet("an operator's stop reaches a worker, and a search goes on with the others", async (fleet) => {
  const master = await fleet.master();
  const client = await fleet.client();
  const leaving = fleet.worker("w1", { slots: 2 });
  const search = await client.run(slowSearch("left", 10, 200));
  await leaving.until(({ ended }) => ended !== undefined);
  const [worker] = await client.workers();
  ok(worker !== undefined);
  await client.stop(worker.id, 0);
  equal(await leaving.ended(), 0);
  fleet.worker("w2", { slots: 2 });
  equal((await search.wait()).trials.completed, 10);
  await master.kill();
  const { evaluator = 0, crash = 0, worker_lost = 0 } = endsByCause(assertAllCompleted(fleet.data, 10));
  deepEqual([evaluator, crash, worker_lost], [0, 0, 0]);
});

withFleet("a search goes on after its master was stopped in good order and started again", async (fleet) => {
  let master = await fleet.master();
  const client = await fleet.client();
  const workers = [fleet.worker("w1"), fleet.worker("w2")];
  const trials = 12;
  const told = new Map<string, number>();
  const search = await client.run(slowSearch("stopped", trials, 400), {
    onTrial: ({ task }) => told.set(task, (told.get(task) ?? 0) + 1),
  });
  await workers[0]?.until(({ ended }) => ended !== undefined);
  master.signal("SIGTERM");
  equal(await master.ended(), 0);
  master = await fleet.master();
  await workers[1]?.until(({ ended }) => ended !== undefined);
  await client.stop("master", 0);
  equal(await master.ended(), 0);
  master = await fleet.master();
  equal((await search.wait()).trials.completed, trials);
  deepEqual([...told.values()], Array(trials).fill(1));
  await master.kill();
  const ledger = assertAllCompleted(fleet.data, trials);
  deepEqual(endsByCause(ledger), {});
});
